using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// Judges what the host answers to a server's request before it leaves: only what the request asked for, in the size that it asked for, without credentials
/// and hidden characters. It is made of the members that are known here, so that nothing else of the host can ride along.
/// </summary>
internal sealed class HostAnswerCheck(ISchemaCompiler schemas, ContentRedaction redaction)
{
    private const int MaxModelLength = 256;
    private const int MaxStopLength = 64;

    /// <summary>UTF-16 units that one token can stand for: longer ones are runs of blanks or marks.</summary>
    private const long MaxCharactersPerToken = 64;

    private readonly FormAnswerCheck _forms = new(schemas);

    /// <param name="asked">The request as it went to the host.</param>
    /// <param name="answer">The host's answer: the result of a message, or the entry of <c>inputResponses</c>.</param>
    public HostAnswer Judge(ServerRequestContext asked, JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object)
        {
            return HostAnswer.Refused("an answer that is no object");
        }

        // The host takes its time: what was allowed when it was asked may be allowed no more.
        if (asked.Connection.Runtime.Halts.Find(asked.Server.Id, asked.Call?.TargetName, asked.Caller.UserId) is not null)
        {
            return HostAnswer.Refused("a stop was set");
        }

        return asked.Method switch
        {
            MethodTable.Elicitation when asked.Settings is { Elicitation.Allowed: true } => JudgeElicitation(asked, answer),
            MethodTable.Sampling when asked.Settings is { Sampling.Allowed: true } settings => JudgeSampling(asked, settings, answer),
            _ => HostAnswer.Refused("the policy does not allow it, or no longer"),
        };
    }

    private HostAnswer JudgeElicitation(ServerRequestContext asked, JsonElement answer)
    {
        if (!answer.TryGetProperty("action"u8, out JsonElement action) || action.ValueKind != JsonValueKind.String)
        {
            return HostAnswer.Refused("an answer without an action");
        }

        if (action.ValueEquals("decline"u8) || action.ValueEquals("cancel"u8))
        {
            return Of(action.GetString()!, default);
        }

        if (!action.ValueEquals("accept"u8))
        {
            return HostAnswer.Refused("an answer with an action that is not known here");
        }

        if (ElicitationRequestStage.IsUrl(asked.Current))
        {
            // That a person agreed to open the address; what happens there is none of the server's forms.
            return Of("accept", default);
        }

        if (!answer.TryGetProperty("content"u8, out JsonElement content) || !asked.Current.TryGetProperty("requestedSchema"u8, out JsonElement form))
        {
            return HostAnswer.Refused("an accepted form without its content");
        }

        FormAnswerVerdict verdict = _forms.Judge(form, content, asked.ProtocolVersion);
        if (!verdict.IsAllowed)
        {
            return HostAnswer.Refused($"the answer does not fit the form: {verdict.Fault}");
        }

        // Blacking out a field would send something that nobody typed.
        return string.Equals(redaction.Apply(content).GetRawText(), content.GetRawText(), StringComparison.Ordinal)
            ? Of("accept", content)
            : HostAnswer.Refused("the answer holds a credential");
    }

    private HostAnswer JudgeSampling(ServerRequestContext asked, ServerSettings settings, JsonElement answer)
    {
        if (!answer.TryGetProperty("role"u8, out JsonElement role) || role.ValueKind != JsonValueKind.String || !(role.ValueEquals("assistant"u8) || role.ValueEquals("user"u8))
            || !IsText(answer, "model"u8, MaxModelLength, isRequired: true) || !IsText(answer, "stopReason"u8, MaxStopLength, isRequired: false)
            || !answer.TryGetProperty("content"u8, out JsonElement content))
        {
            return HostAnswer.Refused("an answer without role, model or content");
        }

        if (SamplingContent.FaultOf(content) is { } fault)
        {
            return HostAnswer.Refused(fault);
        }

        long most = MaxCharactersPerToken * (asked.Current.TryGetProperty("maxTokens"u8, out JsonElement tokens) && tokens.TryGetInt64(out long number) ? number : settings.Sampling.MaxTokens);
        if (TextLength(content) > most)
        {
            return HostAnswer.Refused("an answer longer than the tokens that were asked for");
        }

        if (MediaStage.FaultOf(answer, ContentPlace.Result, ContentControls.Of(settings.Limits.Results).Media) is { } media)
        {
            return HostAnswer.Refused(media);
        }

        JsonElement own = OfSampling(role, content, answer);
        JsonElement cleaned = JsonSanitizer.Default.Sanitize(own, TextSurface.Result, ContentPlace.Result).Utf8 is { } utf8 ? JsonDocument.Parse(utf8).RootElement : own;
        return new HostAnswer(redaction.Apply(cleaned, ContentPlace.Result), null);
    }

    private static JsonElement OfSampling(JsonElement role, JsonElement content, JsonElement answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("role"u8);
            role.WriteTo(writer);
            writer.WritePropertyName("content"u8);
            SamplingContent.WriteBare(content, writer);
            foreach (JsonProperty member in answer.EnumerateObject())
            {
                if (member.NameEquals("model"u8) || member.NameEquals("stopReason"u8))
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static HostAnswer Of(string action, JsonElement content)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("action"u8, action);
            if (content.ValueKind != JsonValueKind.Undefined)
            {
                writer.WritePropertyName("content"u8);
                content.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return new HostAnswer(JsonDocument.Parse(buffer.WrittenMemory).RootElement, null);
    }

    private static bool IsText(JsonElement value, ReadOnlySpan<byte> name, int longest, bool isRequired) =>
        value.TryGetProperty(name, out JsonElement text)
            ? (text.ValueKind == JsonValueKind.String && JsonText.GetString(text).Length <= longest) || (!isRequired && text.ValueKind == JsonValueKind.Null)
            : !isRequired;

    private static long TextLength(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.Array)
        {
            return content.EnumerateArray().Sum(TextLength);
        }

        return content.TryGetProperty("text"u8, out JsonElement text) && text.ValueKind == JsonValueKind.String ? JsonText.GetString(text).Length : 0;
    }
}
