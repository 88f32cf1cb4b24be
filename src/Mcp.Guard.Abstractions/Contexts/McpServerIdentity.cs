namespace Mcp.Guard;

/// <summary>
/// Who a server is to the guard: the id that the host gave it, and how it is reached. Nothing that the server says about itself takes part.
/// </summary>
public sealed class McpServerIdentity : IEquatable<McpServerIdentity>
{
    /// <summary>Names a server.</summary>
    /// <param name="id">The id in the policy: 1 to 64 characters.</param>
    /// <param name="endpoint">How it is reached, for people and for the binding of grants: the URL, or the command with its arguments as one text.</param>
    /// <exception cref="ArgumentException">A text is empty, or the id too long.</exception>
    public McpServerIdentity(string id, string endpoint)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentException.ThrowIfNullOrWhiteSpace(endpoint);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(id.Length, 64, nameof(id));
        Id = id;
        Endpoint = endpoint;
    }

    /// <summary>The host's id for the server.</summary>
    public string Id { get; }

    /// <summary>The URL, or the command with its arguments.</summary>
    public string Endpoint { get; }

    /// <inheritdoc/>
    public bool Equals(McpServerIdentity? other) =>
        other is not null && string.Equals(Id, other.Id, StringComparison.Ordinal) && string.Equals(Endpoint, other.Endpoint, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as McpServerIdentity);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Endpoint);

    /// <summary>The id and the endpoint, for logs.</summary>
    public override string ToString() => $"{Id} ({Endpoint})";
}
