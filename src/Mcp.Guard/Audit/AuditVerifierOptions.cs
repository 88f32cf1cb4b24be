namespace Mcp.Guard;

/// <summary>What a verification may rely on.</summary>
public sealed class AuditVerifierOptions
{
    /// <summary>The keys of the chain, the present and former ones. With a key, a segment that carries no HMAC counts as tampered.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> ChainKeys { get; init; } = [];

    /// <summary>Accepts segments without an HMAC although keys were given: for a log that was begun without one.</summary>
    public bool AllowUnkeyed { get; init; }

    /// <summary>A checkpoint that was kept elsewhere; null for none.</summary>
    public AuditCheckpoint? Checkpoint { get; init; }

    /// <summary>The key of the checkpoint; where it is empty the HMAC of the checkpoint is not looked at, and the checkpoint is as good as its place.</summary>
    public ReadOnlyMemory<byte> CheckpointKey { get; init; }
}
