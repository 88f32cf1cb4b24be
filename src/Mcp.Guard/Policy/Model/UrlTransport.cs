namespace Mcp.Guard.Policy;

/// <summary>Which protocol is spoken to a server that is reached by URL.</summary>
internal enum UrlTransport
{
    /// <summary>Streamable HTTP, or the older SSE where the server has only that.</summary>
    Auto = 0,

    /// <summary>Streamable HTTP only.</summary>
    StreamableHttp = 1,

    /// <summary>The SSE transport of 2024-11-05 only.</summary>
    Sse = 2,
}
