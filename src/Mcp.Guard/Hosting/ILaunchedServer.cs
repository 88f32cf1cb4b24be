namespace Mcp.Guard.Hosting;

/// <summary>The inner transport of a server whose processes the guard started and can end.</summary>
internal interface ILaunchedServer
{
    /// <summary>Ends the server and everything it started. Calling it again waits for the same end.</summary>
    /// <param name="atOnce">True to kill without grace; false closes its input and lets it end first.</param>
    Task EndAsync(bool atOnce);

    /// <summary>What hands over the server's messages; null where they are read from the queue of the transport.</summary>
    IMessageSource? Messages => null;

    /// <summary>Registers who is told why the guard ends the server because it passed a limit of its isolation. Must not block.</summary>
    void OnOverLimit(Action<string> told);
}
