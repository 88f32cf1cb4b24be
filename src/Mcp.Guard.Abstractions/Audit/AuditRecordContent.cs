using System.Text.Json;

namespace Mcp.Guard;

/// <summary>
/// Arguments and result of a record, made from the guard's own copies when a sink first reads them: a sink with a thread of its own spares the caller the
/// work. The copies never change, so it makes no difference when they are read; any thread may.
/// </summary>
internal abstract class AuditRecordContent
{
    /// <summary>How much of a message the record holds until it is written, in bytes of JSON text.</summary>
    public abstract long Bytes { get; }

    public virtual JsonElement Arguments => default;

    public virtual string? ArgumentsDigest => null;

    public virtual JsonElement Result => default;

    public virtual string? ResultDigest => null;

    public virtual string? DeliveredDigest => null;
}
