namespace Mcp.Guard.Isolation;

/// <summary>How a started server is read, watched and stopped.</summary>
internal sealed record ServerProcessOptions
{
    /// <summary>Put around the server's output, so that no unbounded line reaches a reader. Default: none.</summary>
    public Func<Stream, Stream> WrapOutput { get; init; } = static stream => stream;

    /// <summary>Makes a line of standard error fit for logs and tails. Default: control and format characters escaped.</summary>
    public Func<string, string> SanitizeError { get; init; } = static line => Printable.Escape(line);

    /// <summary>How long the server has to end after its input is closed.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it has after it was asked to end, where it can be asked.</summary>
    public TimeSpan TerminateGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the box has to answer that it is made.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the report of an end waits for what is still in the pipe of standard error: a descendant that holds it open does not delay the report.</summary>
    public TimeSpan ErrorGrace { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Lines of standard error that are kept.</summary>
    public int ErrorTailLines { get; init; } = 64;

    /// <summary>Bytes of one line of standard error that are kept; the rest of it is dropped.</summary>
    public int ErrorLineBytes { get; init; } = 2048;

    /// <summary>Lines of standard error that are logged each second; the rest is counted.</summary>
    public int ErrorLinesPerSecond { get; init; } = 50;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
