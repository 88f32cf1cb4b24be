namespace Mcp.Guard;

/// <summary>The kinds of message that the guard judges.</summary>
public enum GuardBoundary
{
    /// <summary>A connection to a server is about to be made.</summary>
    Connection = 0,

    /// <summary>The result of a list request: tools, prompts, resources, templates.</summary>
    Catalog = 1,

    /// <summary>A request from the client to the server.</summary>
    Request = 2,

    /// <summary>The answer to a request.</summary>
    Result = 3,

    /// <summary>A request from the server: sampling, elicitation, roots, or an input request inside a result.</summary>
    ServerRequest = 4,

    /// <summary>A notification, in either direction.</summary>
    Notification = 5,
}
