using System.Text.Json;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Follows the shape of MCP results (schema 2025-11-25 and 2026-07-28: <c>CallToolResult</c>, <c>ReadResourceResult</c>, <c>GetPromptResult</c>), so
/// that binary data is told from text by its place and never by how it looks.
/// </summary>
internal static class ContentPlaces
{
    /// <summary>Where a member of an object at <paramref name="parent"/> stands.</summary>
    public static ContentPlace Of(ContentPlace parent, JsonElement owner, JsonProperty member)
    {
        switch (parent)
        {
            case ContentPlace.Result:
                return member.NameEquals("content"u8) ? ContentPlace.Blocks
                    : member.NameEquals("contents"u8) ? ContentPlace.Resources
                    : member.NameEquals("messages"u8) ? ContentPlace.Messages
                    : ContentPlace.Elsewhere;

            case ContentPlace.Messages:
                return member.NameEquals("content"u8) ? ContentPlace.Blocks : ContentPlace.Elsewhere;

            case ContentPlace.Blocks:
                return member.NameEquals("resource"u8) && HasType(owner, "resource"u8) ? ContentPlace.Resource
                    : member.NameEquals("data"u8) && IsMedia(owner) ? ContentPlace.BlockData
                    : member.NameEquals("text"u8) && HasType(owner, "text"u8) ? ContentPlace.Text
                    : member.NameEquals("content"u8) && HasType(owner, "tool_result"u8) ? ContentPlace.Blocks
                    : ContentPlace.Elsewhere;

            case ContentPlace.Resources or ContentPlace.Resource:
                return member.NameEquals("blob"u8) ? ContentPlace.ResourceBlob
                    : member.NameEquals("text"u8) ? ContentPlace.Text
                    : ContentPlace.Elsewhere;

            default:
                return ContentPlace.Elsewhere;
        }
    }

    /// <summary>Where the items of a list at <paramref name="list"/> stand.</summary>
    public static ContentPlace OfItem(ContentPlace list) =>
        list is ContentPlace.Blocks or ContentPlace.Resources or ContentPlace.Messages ? list : ContentPlace.Elsewhere;

    /// <summary>Whether a string at this place is binary content: passed or refused by <see cref="MediaStage"/>, never altered.</summary>
    public static bool IsBinary(ContentPlace place) => place is ContentPlace.BlockData or ContentPlace.ResourceBlob;

    /// <summary>Whether a block declares itself as image or audio.</summary>
    public static bool IsMedia(JsonElement block) => HasType(block, "image"u8) || HasType(block, "audio"u8);

    private static bool HasType(JsonElement block, ReadOnlySpan<byte> type) =>
        block.TryGetProperty("type"u8, out JsonElement declared) && declared.ValueKind == JsonValueKind.String && declared.ValueEquals(type);
}
