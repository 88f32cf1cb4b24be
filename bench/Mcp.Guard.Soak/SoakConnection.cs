using System.Diagnostics;
using Mcp.Guard.Testing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Soak;

/// <summary>One guarded connection and the calls over it, each of which must end in one way only.</summary>
internal sealed class SoakConnection(IMcpGuard guard, string root, int number) : IAsyncDisposable
{
    private readonly GuardCaller _caller = new($"user-{number % 50}", $"session-{number}");
    private readonly Random _random = new(number);
    private readonly string _inside = Path.Combine(root, "notes.txt");
    private SoakServer _server = null!;
    private McpClient _client = null!;
    private long _calls;

    /// <summary>Calls that ended otherwise than they must, in words; empty where none did.</summary>
    public List<string> Faults { get; } = [];

    public async Task OpenAsync()
    {
        var pair = new InMemoryTransportPair();
        _server = new SoakServer(pair.ServerInput, pair.ServerOutput);
        _client = await McpClient.CreateAsync(guard.Protect("soak", pair.ClientTransport));
        await _client.ListToolsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>Makes one call of some kind.</summary>
    /// <param name="times">Receives what an allowed call took.</param>
    public async Task CallAsync(SoakTimes times)
    {
        using IDisposable scope = guard.BeginScope(_caller);
        string note = "call " + (++_calls).ToString(System.Globalization.CultureInfo.InvariantCulture);
        switch (_random.Next(1000))
        {
            case < 700:
                long start = Stopwatch.GetTimestamp();
                await ExpectAsync("read", _inside, note, null);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                break;
            case < 800:
                await ExpectAsync("drop_all", _inside, note, GuardDenialCodes.RuleDenied);
                break;
            case < 870:
                await ExpectAsync("read", "/etc/passwd", note, GuardDenialCodes.PathOutsideRoots);
                break;
            case < 900:
                await ExpectAsync("read", null, note, GuardDenialCodes.ArgumentsInvalid);
                break;
            case < 960:
                await ExpectAsync("edit", _inside, note, null);
                break;
            case < 975:
                await ExpectAsync("slow", _inside, note, GuardDenialCodes.Timeout);
                break;
            case < 985:
                await GiveUpAsync(note);
                break;
            case < 995:
                await _server.ChangeListAsync();
                await _client.ListToolsAsync();
                break;
            default:
                await DisposeAsync();
                await OpenAsync();
                break;
        }
    }

    private async Task ExpectAsync(string tool, string? path, string note, string? code)
    {
        var arguments = new Dictionary<string, object?> { ["note"] = note };
        if (path is not null)
        {
            arguments["path"] = path;
        }

        CallToolResult result = await _client.CallToolAsync(tool, arguments);
        string text = result.Content.OfType<TextContentBlock>().FirstOrDefault()?.Text ?? string.Empty;
        bool asExpected = code is null ? result.IsError != true : result.IsError == true && text.Contains(code, StringComparison.Ordinal);
        if (!asExpected && Faults.Count < 10)
        {
            Faults.Add($"{tool} of connection {number} should end with {code ?? "a result"} and ended with: {text}");
        }
    }

    /// <summary>A caller who does not wait: the call ends at the server too.</summary>
    private async Task GiveUpAsync(string note)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            await _client.CallToolAsync("slow", new Dictionary<string, object?> { ["path"] = _inside, ["note"] = note }, cancellationToken: patience.Token);
        }
        catch (OperationCanceledException)
        {
            // That is what was asked for.
        }
    }
}
