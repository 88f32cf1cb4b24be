using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>A small HTTP server on a loopback port: answers each request with a text that the test makes from the request's head.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _connections;

    public LoopbackServer(Func<string, string> answer)
    {
        _listener.Start();
        _loop = Task.Run(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                try
                {
                    await ServeAsync(client.GetStream(), answer);
                }
                catch (IOException)
                {
                    // The client went away.
                }
            }
        });
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    public List<string> Requests { get; } = [];

    public static string Response(string status, string headers, string body) =>
        $"HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        try
        {
            _loop.Wait();
        }
        catch (AggregateException)
        {
            // The accept was cancelled.
        }

        _stop.Dispose();
    }

    private async Task ServeAsync(NetworkStream stream, Func<string, string> answer)
    {
        var head = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            int read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
            {
                return;
            }

            head.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        while (!IsComplete(head.ToString()))
        {
            int read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
            {
                return;
            }

            head.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        lock (Requests)
        {
            Requests.Add(head.ToString());
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer(head.ToString())), _stop.Token);
    }

    /// <summary>Whether head and body are there: the body by its length, or in chunks up to the empty one.</summary>
    private static bool IsComplete(string request)
    {
        int end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        string head = request[..end];
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            return request.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        }

        const string Length = "Content-Length:";
        int at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return true;
        }

        int line = head.IndexOf('\r', at);
        return Encoding.UTF8.GetByteCount(request.AsSpan(end)) >= int.Parse(head.AsSpan(at + Length.Length, line - at - Length.Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
