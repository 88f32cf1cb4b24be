namespace Mcp.Guard;

/// <summary>Keeps checkpoints where the log's own writer cannot change them later: another machine, a write-once store, a ticket.</summary>
public interface IAuditCheckpointSink
{
    /// <summary>Keeps one checkpoint. A failure is counted and told in the health; it stops no call.</summary>
    /// <param name="checkpoint">The newest checkpoint.</param>
    /// <param name="ct">Cancelled when the log gives up waiting at its close.</param>
    ValueTask WriteAsync(AuditCheckpoint checkpoint, CancellationToken ct);
}
