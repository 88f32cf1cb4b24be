using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Framing;

/// <summary>
/// The last result stage: marks what a model reads of a tool result, a resource or an error as data, where the policy says so (<c>results.framing</c>): texts,
/// titles and descriptions, and what else of a block or resource is words. Structured content, metadata, binary content and identifiers stay as they are. Prompts are
/// not framed: a person chose them to be instructions.
/// </summary>
internal sealed class ResultFramingStage : IGuardStage<ResultContext>
{
    public string Name => GuardStages.ResultFraming;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ResultFraming framing = context.Controls.Settings.Framing;
        if (framing == ResultFraming.None || context.Call.Kind is not (RequestKind.ToolCall or RequestKind.Resource) || context.Current.ValueKind != JsonValueKind.Object)
        {
            return new(GuardDecision.Continue);
        }

        return new(FrameTexts(context, framing));
    }

    private static GuardDecision FrameTexts(ResultContext context, ResultFraming framing)
    {
        // One boundary a result, made after its text: no part of it can close the frame of another part.
        string boundary = UntrustedFrame.NewBoundary();
        using var output = new JsonOutput();
        Write(context.Current, context.IsError ? ContentPlace.Elsewhere : ContentPlace.Result, context.IsError, Frame, output);
        return output.Changed
            ? GuardDecision.Replace(JsonDocument.Parse(output.Finish()).RootElement, "framed", framing == ResultFraming.Datamark ? "datamark" : "envelope")
            : GuardDecision.Continue;

        string Frame(string text) => framing == ResultFraming.Datamark
            ? UntrustedFrame.MarkWords(text)
            : UntrustedFrame.Enclose(text, context.Server.Id, context.Call.TargetName ?? context.Method, boundary);
    }

    private static void Write(JsonElement value, ContentPlace place, bool isError, Func<string, string> frame, JsonOutput output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when isError || place is not (ContentPlace.Elsewhere or ContentPlace.Text):
                output.Writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    output.WriteName(member, null);
                    ContentPlace inner = (isError && member.NameEquals("message"u8)) || IsWords(place, member) ? ContentPlace.Text : ContentPlaces.Of(place, value, member);
                    Write(member.Value, inner, isError: false, frame, output);
                }

                output.Writer.WriteEndObject();
                break;

            case JsonValueKind.Array when ContentPlaces.OfItem(place) != ContentPlace.Elsewhere:
                output.Writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, ContentPlaces.OfItem(place), isError: false, frame, output);
                }

                output.Writer.WriteEndArray();
                break;

            case JsonValueKind.String when place == ContentPlace.Text:
                output.Replace(frame(JsonText.GetString(value)));
                break;

            default:
                output.Copy(value);
                break;
        }
    }

    /// <summary>
    /// Whether a member of a block or resource is there to be read: a title or description always; a name, an address or a member that nobody knows where it
    /// holds a blank, because then it is no identifier that a host could use.
    /// </summary>
    private static bool IsWords(ContentPlace place, JsonProperty member)
    {
        if (place is not (ContentPlace.Blocks or ContentPlace.Resources or ContentPlace.Resource) || member.Value.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        if (member.NameEquals("title"u8) || member.NameEquals("description"u8))
        {
            return true;
        }

        using var text = JsonCharacters.Of(member.Value);
        return member.NameEquals("mimeType"u8) ? !IsMediaType(text.Span) : HoldsBlank(text.Span);
    }

    /// <summary>A type, and blanks only before its parameters (RFC 9110 section 8.3.1).</summary>
    private static bool IsMediaType(ReadOnlySpan<char> text)
    {
        foreach (Range part in text.Split(';'))
        {
            if (HoldsBlank(text[part].Trim()))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HoldsBlank(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                return true;
            }
        }

        return false;
    }
}
