using System.Text.Json;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>The content of sampling in both directions: text, images and audio, one block or a list. Tool use and results have no place: no tools are lent.</summary>
internal static class SamplingContent
{
    private const int MaxBlocks = 64;

    /// <summary>What is wrong with the content of a message, in words for the audit; null where nothing is.</summary>
    public static string? FaultOf(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            return FaultOfBlock(content);
        }

        if (content.GetArrayLength() is 0 or > MaxBlocks)
        {
            return "a message with no content, or too many blocks";
        }

        foreach (JsonElement block in content.EnumerateArray())
        {
            if (FaultOfBlock(block) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static string? FaultOfBlock(JsonElement block)
    {
        if (block.ValueKind != JsonValueKind.Object || !block.TryGetProperty("type"u8, out JsonElement type) || type.ValueKind != JsonValueKind.String)
        {
            return "a content block without a type";
        }

        bool isText = type.ValueEquals("text"u8);
        if (!isText && !type.ValueEquals("image"u8) && !type.ValueEquals("audio"u8))
        {
            return "a content block that is no text, image or audio";
        }

        foreach (JsonProperty member in block.EnumerateObject())
        {
            bool known = member.NameEquals("type"u8) || member.NameEquals("annotations"u8) || member.NameEquals("_meta"u8)
                || (isText ? member.NameEquals("text"u8) : member.NameEquals("data"u8) || member.NameEquals("mimeType"u8));
            if (!known)
            {
                return "a content block with a member that its type does not have";
            }
        }

        return HasText(block, isText ? "text"u8 : "data"u8) && (isText || HasText(block, "mimeType"u8)) ? null : "a content block without its content";
    }

    private static bool HasText(JsonElement block, ReadOnlySpan<byte> name) =>
        block.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String;
}
