using System.Text.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>What a model reads of an entry of a list: every text without what hides. The guard itself judges by the entry as it came.</summary>
/// <param name="Shown">The entry to show; null where its key would change, so that nothing could be called by what is shown.</param>
/// <param name="IsChanged">True where a text was cleaned.</param>
/// <param name="Findings">What was found in its texts.</param>
internal readonly record struct ToolText(JsonElement? Shown, bool IsChanged, ContentFindings Findings)
{
    /// <summary>Cleans an entry.</summary>
    /// <param name="item">The entry.</param>
    /// <param name="key">The member by which it is asked for: <c>name</c>, <c>uri</c> or <c>uriTemplate</c>.</param>
    public static ToolText Of(JsonElement item, ReadOnlySpan<byte> key)
    {
        SanitizedJson sanitized = JsonSanitizer.Default.Sanitize(item, TextSurface.Description);
        var findings = (ContentFindings)(int)sanitized.Flags;
        if (sanitized.Utf8 is not { } utf8)
        {
            return new(item, false, findings);
        }

        JsonElement cleaned = JsonDocument.Parse(utf8).RootElement;
        bool keeps = cleaned.TryGetProperty(key, out JsonElement kept)
            && kept.ValueKind == JsonValueKind.String
            && item.TryGetProperty(key, out JsonElement own)
            && kept.ValueEquals(own.GetString());
        return new(keeps ? cleaned : null, true, findings);
    }
}
