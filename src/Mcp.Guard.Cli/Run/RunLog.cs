using System.Collections.Concurrent;
using Mcp.Guard.Cli.Terminal;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Cli.Run;

/// <summary>
/// The log of a running gateway, on standard error: warnings of the guard, one line each, and keeps what servers wrote to their standard error for the message of
/// a failed start. Of an exception its type only: messages may hold what a server or a client wrote.
/// </summary>
internal sealed class RunLog(CommandTerminal terminal) : ILoggerProvider
{
    private const string OfGuard = "Mcp.Guard";
    private const int MaxLines = 20;
    private const int UnboxedEvent = 901;
    private const int ControlEvent = 902;
    private const int StandardErrorEvent = 903;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, byte> _unboxed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Queue<string>> _lines = new(StringComparer.Ordinal);

    /// <summary>The last lines that a server wrote to standard error, as the guard logs them: cleaned, secrets out.</summary>
    public IReadOnlyList<string> LinesOf(string server)
    {
        lock (_gate)
        {
            return _lines.TryGetValue(server, out Queue<string>? lines) ? [.. lines.Select(static line => "  " + line)] : [];
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, isOfGuard: categoryName.StartsWith(OfGuard, StringComparison.Ordinal));

    public void Dispose()
    {
    }

    private void Write(LogLevel level, EventId id, IReadOnlyList<KeyValuePair<string, object?>>? values, string message, Exception? exception)
    {
        string? server = ValueOf(values, "Server");
        if (id.Id == StandardErrorEvent && server is not null && ValueOf(values, "Line") is { } line)
        {
            Keep(server, line);
            return;
        }

        if (level < LogLevel.Warning || (id.Id == UnboxedEvent && server is not null && !_unboxed.TryAdd(server, 0)))
        {
            return;
        }

        // Of a server without a box every control is off, which its one warning says.
        if (id.Id == ControlEvent && server is not null && _unboxed.ContainsKey(server))
        {
            return;
        }

        string fault = exception is null ? string.Empty : $" ({exception.GetType().Name})";
        lock (_gate)
        {
            terminal.Note($"{(level >= LogLevel.Error ? "error" : "warning")}: {message}{fault}", level >= LogLevel.Error ? Tone.Bad : Tone.Caution);
        }
    }

    private void Keep(string server, string line)
    {
        lock (_gate)
        {
            if (!_lines.TryGetValue(server, out Queue<string>? lines))
            {
                _lines[server] = lines = new Queue<string>();
            }

            lines.Enqueue(line);
            if (lines.Count > MaxLines)
            {
                lines.Dequeue();
            }
        }
    }

    private static string? ValueOf(IReadOnlyList<KeyValuePair<string, object?>>? values, string key)
    {
        foreach (KeyValuePair<string, object?> value in values ?? [])
        {
            if (string.Equals(value.Key, key, StringComparison.Ordinal))
            {
                return value.Value as string;
            }
        }

        return null;
    }

    private sealed class Logger(RunLog log, bool isOfGuard) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        // What the SDK and the web server log of a failed message the guard logs too, cleaned.
        public bool IsEnabled(LogLevel logLevel) => isOfGuard && logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(logLevel, eventId, state as IReadOnlyList<KeyValuePair<string, object?>>, formatter(state, exception), exception);
            }
        }
    }
}
