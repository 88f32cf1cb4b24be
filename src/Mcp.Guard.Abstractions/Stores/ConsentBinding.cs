namespace Mcp.Guard;

/// <summary>What a grant is bound to. Every part is compared ordinally.</summary>
public readonly record struct ConsentBinding
{
    /// <summary>The server's id and endpoint (<see cref="McpServerIdentity.ToString"/>).</summary>
    public required string Server { get; init; }

    /// <summary>The JSON-RPC method.</summary>
    public required string Method { get; init; }

    /// <summary>The exact tool, prompt or resource name.</summary>
    public required string Tool { get; init; }

    /// <summary>The fingerprint of the tool's definition; empty where the target has none.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>SHA-256 over the canonical arguments, lower-case hexadecimal.</summary>
    public required string ArgumentsDigest { get; init; }

    /// <summary>The caller's user.</summary>
    public required string UserId { get; init; }

    /// <summary>The caller's session.</summary>
    public required string SessionId { get; init; }

    /// <summary>The revision of the server's part of the policy.</summary>
    public required string PolicyRevision { get; init; }
}
