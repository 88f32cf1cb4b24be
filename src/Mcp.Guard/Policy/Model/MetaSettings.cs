using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>Which <c>_meta</c> keys pass besides those that the protocol itself needs.</summary>
/// <param name="ToServer">Exact keys in requests and notifications of the host.</param>
/// <param name="FromServer">Exact keys in results, requests and notifications of the server.</param>
internal sealed record MetaSettings(FrozenSet<string> ToServer, FrozenSet<string> FromServer)
{
    public static MetaSettings None { get; } = new(FrozenSet<string>.Empty, FrozenSet<string>.Empty);
}
