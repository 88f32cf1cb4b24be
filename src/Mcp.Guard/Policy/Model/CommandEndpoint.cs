using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>A server that the guard starts from a command.</summary>
internal sealed record CommandEndpoint : ServerEndpoint
{
    /// <summary>An absolute path, or a bare name that the launcher looks up.</summary>
    public required string Command { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The whole environment that the policy grants.</summary>
    public FrozenDictionary<string, PolicyValue> Environment { get; init; } = FrozenDictionary<string, PolicyValue>.Empty;

    /// <summary>Lower-case hexadecimal SHA-256 of the binary; null where it is not pinned.</summary>
    public string? Sha256 { get; init; }

    public override string Describe() => Join(Command, Arguments);
}
