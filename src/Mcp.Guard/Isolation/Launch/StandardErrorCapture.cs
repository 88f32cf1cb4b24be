using System.Text;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Reads a server's standard error to its end, so that the server never blocks on it, and keeps little: the last lines, each cut to a
/// length, sanitised, logged at a bounded rate. What it keeps is text from the server and is treated as such.
/// </summary>
internal sealed class StandardErrorCapture
{
    private readonly string _server;
    private readonly ServerProcessOptions _options;
    private readonly ILogger _logger;
    private readonly Queue<string> _tail = new();
    private readonly Lock _tailLock = new();
    private readonly byte[] _line;
    private int _lineLength;
    private bool _lineCut;
    private long _second;
    private int _loggedInSecond;
    private long _dropped;

    public StandardErrorCapture(string server, ServerProcessOptions options, ILogger logger)
    {
        _server = server;
        _options = options;
        _logger = logger;
        _line = new byte[options.ErrorLineBytes];
        _second = long.MinValue;
    }

    /// <summary>The last lines so far.</summary>
    public IReadOnlyList<string> Tail()
    {
        lock (_tailLock)
        {
            return [.. _tail];
        }
    }

    /// <summary>Reads until the stream ends or is closed. Never throws.</summary>
    public async Task ReadAsync(Stream stream)
    {
        byte[] buffer = new byte[4096];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
            {
                Take(buffer.AsSpan(0, read));
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The guard closed the stream of a server that it ended.
        }

        if (_lineLength > 0)
        {
            EndLine();
        }

        LogDropped();
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> part = end < 0 ? bytes : bytes[..end];
            int room = Math.Min(part.Length, _line.Length - _lineLength);
            part[..room].CopyTo(_line.AsSpan(_lineLength));
            _lineLength += room;
            _lineCut |= room < part.Length;
            if (end < 0)
            {
                return;
            }

            EndLine();
            bytes = bytes[(end + 1)..];
        }
    }

    private void EndLine()
    {
        ReadOnlySpan<byte> bytes = _line.AsSpan(0, _lineLength).TrimEnd((byte)'\r');
        string line = Sanitize(Encoding.UTF8.GetString(bytes));
        if (_lineCut)
        {
            line += " (cut)";
        }

        _lineLength = 0;
        _lineCut = false;
        lock (_tailLock)
        {
            _tail.Enqueue(line);
            if (_tail.Count > _options.ErrorTailLines)
            {
                _tail.Dequeue();
            }
        }

        Log(line);
    }

    private string Sanitize(string line)
    {
        try
        {
            return _options.SanitizeError(line);
        }
        catch (Exception fault)
        {
            // A line that cannot be made fit is not shown, and reading goes on.
            return $"(a line that could not be sanitised: {fault.GetType().Name})";
        }
    }

    private void Log(string line)
    {
        long second = _options.Time.GetTimestamp() / _options.Time.TimestampFrequency;
        if (second != _second)
        {
            LogDropped();
            _second = second;
            _loggedInSecond = 0;
        }

        if (_loggedInSecond < _options.ErrorLinesPerSecond)
        {
            _loggedInSecond++;
            IsolationLog.StandardError(_logger, _server, line);
        }
        else
        {
            _dropped++;
        }
    }

    private void LogDropped()
    {
        if (_dropped > 0)
        {
            IsolationLog.StandardErrorDropped(_logger, _server, _dropped);
            _dropped = 0;
        }
    }
}
