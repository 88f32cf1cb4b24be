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

    /// <summary>
    /// Writes content that has no fault without what is neither text nor media: annotations and <c>_meta</c>. The SDK maps the latter to and from what model
    /// clients add (<c>AdditionalProperties</c>): the host's would leave with an answer, and the server's would reach the host's model client.
    /// </summary>
    public static void WriteBare(JsonElement content, Utf8JsonWriter writer)
    {
        if (content.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (JsonElement block in content.EnumerateArray())
            {
                WriteBare(block, writer);
            }

            writer.WriteEndArray();
            return;
        }

        writer.WriteStartObject();
        foreach (JsonProperty member in content.EnumerateObject())
        {
            if (!IsAside(member))
            {
                member.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    /// <summary>Whether content is as <see cref="WriteBare"/> writes it.</summary>
    public static bool IsBare(JsonElement content) => content.ValueKind == JsonValueKind.Array
        ? content.EnumerateArray().All(IsBare)
        : !content.EnumerateObject().Any(IsAside);

    private static bool IsAside(JsonProperty member) => member.NameEquals("annotations"u8) || member.NameEquals("_meta"u8);

    private static bool HasText(JsonElement block, ReadOnlySpan<byte> name) =>
        block.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String;
}
