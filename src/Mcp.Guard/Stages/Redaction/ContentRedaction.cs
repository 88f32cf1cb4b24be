using System.Text.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>The guard's own redactor and, behind it, the host's: the one way for audit, notifications and results.</summary>
internal sealed class ContentRedaction(IContentRedactor? host)
{
    /// <summary>Whether code of the host takes part.</summary>
    public bool RunsHostCode => host is not null;

    /// <summary>The value without its secrets; the same value where it holds none.</summary>
    /// <param name="value">The value.</param>
    /// <param name="place">What the value is: binary content of a whole result is left as it is.</param>
    public JsonElement Apply(JsonElement value, ContentPlace place = ContentPlace.Elsewhere)
    {
        JsonElement redacted = JsonRedactor.Default.Redact(value, place) is { } utf8 ? JsonDocument.Parse(utf8).RootElement : value;
        return host is null ? redacted : HostText.Apply(redacted, host.Redact, place);
    }
}
