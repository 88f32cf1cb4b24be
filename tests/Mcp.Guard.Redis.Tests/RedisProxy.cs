using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mcp.Guard.Redis.Tests;

/// <summary>Stands between a host and a server: lets replies come late, or cuts connections after a request has passed and before its reply.</summary>
internal sealed class RedisProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly CancellationTokenSource _closed = new();
    private readonly ConcurrentDictionary<TcpClient, byte> _clients = new();
    private int _delay;
    private int _cutReplies;

    public RedisProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>How long each reply is held back.</summary>
    public TimeSpan Delay
    {
        set => Volatile.Write(ref _delay, (int)value.TotalMilliseconds);
    }

    /// <summary>Passes requests on, and cuts the connection in place of passing on a reply.</summary>
    public bool CutReplies
    {
        set => Volatile.Write(ref _cutReplies, value ? 1 : 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        _listener.Stop();
        foreach (TcpClient client in _clients.Keys)
        {
            client.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_closed.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        _clients.TryAdd(client, 0);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target, _closed.Token);
            NetworkStream up = server.GetStream();
            NetworkStream down = client.GetStream();
            await Task.WhenAny(CopyAsync(down, up, isReply: false), CopyAsync(up, down, isReply: true));
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or SocketException)
        {
            // The other side has gone.
        }
        finally
        {
            _clients.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isReply)
    {
        var buffer = new byte[65_536];
        int read;
        while ((read = await from.ReadAsync(buffer, _closed.Token)) > 0)
        {
            if (isReply && Volatile.Read(ref _cutReplies) != 0)
            {
                return;
            }

            if (isReply && Volatile.Read(ref _delay) is > 0 and var delay)
            {
                await Task.Delay(delay, _closed.Token);
            }

            await to.WriteAsync(buffer.AsMemory(0, read), _closed.Token);
        }
    }
}
