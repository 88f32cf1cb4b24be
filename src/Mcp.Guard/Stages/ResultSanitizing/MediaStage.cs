using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Binary content of a result: the declared type must be one that the policy lists and match the first bytes, the size must be within its limit, and all of
/// it must be base64. What does not fit denies the result; what fits is not altered by any stage.
/// </summary>
internal sealed class MediaStage : IGuardStage<ResultContext>
{
    private const string ModelMessage = "The result holds binary content that is not what it declares, or of a kind that is not allowed here, so it is not shown.";

    public string Name => GuardStages.Media;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        // Where none of these words occurs there is no block of that type, and no resource with binary content.
        if (context.IsError || JsonWords.Lacks(context.Current, "image"u8, "audio"u8, "blob"u8))
        {
            return new(GuardDecision.Continue);
        }

        string? fault = FaultOf(context.Current, ContentPlace.Result, context.Controls.Media);
        return new(fault is null ? GuardDecision.Continue : GuardDecision.Deny(GuardDenialCodes.ResultInvalid, fault, ModelMessage));
    }

    /// <summary>The first block or resource that is refused, in words for the audit; null where there is none.</summary>
    internal static string? FaultOf(JsonElement value, ContentPlace place, MediaCheck check)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                if (place == ContentPlace.Blocks && ContentPlaces.IsMedia(value) && !HasText(value, "data"u8))
                {
                    return "an image or audio block without data";
                }

                foreach (JsonProperty member in value.EnumerateObject())
                {
                    ContentPlace inner = ContentPlaces.Of(place, value, member);
                    string? fault = ContentPlaces.IsBinary(inner) ? BinaryFault(value, member.Value, inner, check)
                        : inner is ContentPlace.Elsewhere or ContentPlace.Text ? null
                        : FaultOf(member.Value, inner, check);
                    if (fault is not null)
                    {
                        return fault;
                    }
                }

                return null;

            case JsonValueKind.Array when ContentPlaces.OfItem(place) is not ContentPlace.Elsewhere and var item:
                foreach (JsonElement element in value.EnumerateArray())
                {
                    if (FaultOf(element, item, check) is { } fault)
                    {
                        return fault;
                    }
                }

                return null;

            default:
                return null;
        }
    }

    private static string? BinaryFault(JsonElement owner, JsonElement data, ContentPlace place, MediaCheck check)
    {
        if (data.ValueKind != JsonValueKind.String)
        {
            return "binary content that is not a text in base64";
        }

        string? type = owner.TryGetProperty("mimeType"u8, out JsonElement declared) && declared.ValueKind == JsonValueKind.String ? JsonText.GetString(declared) : null;
        using var text = JsonCharacters.Of(data);
        MediaVerdict verdict = place == ContentPlace.BlockData ? check.Judge(type, text.Span) : check.JudgeBlob(type, text.Span);
        return verdict == MediaVerdict.Matches ? null : $"binary content was refused: {verdict}";
    }

    private static bool HasText(JsonElement block, ReadOnlySpan<byte> member) =>
        block.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String;
}
