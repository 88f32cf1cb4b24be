using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Cli.Servers;

/// <summary>Keeps the last lines that servers wrote to standard error, as the guard logs them (cleaned, secrets out), for the message of a failed start.</summary>
internal sealed class StandardErrorTail : ILoggerProvider, ILogger
{
    private const int MaxLines = 12;
    private const int MaxLength = 300;
    private const int StandardErrorEvent = 903;

    private readonly Queue<string> _lines = new();

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id != StandardErrorEvent || state is not IReadOnlyList<KeyValuePair<string, object?>> values
            || values.FirstOrDefault(static value => value.Key == "Line").Value is not string line
            || string.IsNullOrWhiteSpace(line) || line.TrimStart().StartsWith("at ", StringComparison.Ordinal)) // frames of a stack push the reason out
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line.Length <= MaxLength ? line : line[..MaxLength] + "...");
            if (_lines.Count > MaxLines)
            {
                _lines.Dequeue();
            }
        }
    }

    public void Dispose()
    {
    }
}
