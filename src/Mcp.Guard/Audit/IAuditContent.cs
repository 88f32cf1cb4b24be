using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>Turns arguments and results into what may stand in a record.</summary>
internal interface IAuditContent
{
    /// <summary>The value as the mode lets it be recorded; undefined where it is not. Redaction comes before any cut and before any digest of what is stored.</summary>
    JsonElement Record(JsonElement value, ContentRecording mode);

    /// <summary>True where that runs code of the host: it may take any time, so that only the caller whose value it is may wait for it.</summary>
    bool RunsHostCode(ContentRecording mode);

    /// <summary>A keyed digest of the whole value; null where there is none.</summary>
    string? Digest(JsonElement value);

    /// <summary>The same for the JSON text of a value; null where it is empty.</summary>
    string? Digest(ReadOnlySpan<byte> utf8);
}
