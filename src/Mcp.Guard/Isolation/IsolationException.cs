namespace Mcp.Guard.Isolation;

/// <summary>A server is not started because the box its policy asks for cannot be made. Says what is missing and what mends it; nothing falls back.</summary>
internal sealed class IsolationException : Exception
{
    public IsolationException(string server, IsolationFault fault, string problem, string fix, Exception? cause = null)
        : base($"server '{server}' is not started: {problem}. {fix}", cause)
    {
        Server = server;
        Fault = fault;
        Fix = fix;
    }

    public string Server { get; }

    public IsolationFault Fault { get; }

    /// <summary>What the person who runs the host can do.</summary>
    public string Fix { get; }
}
