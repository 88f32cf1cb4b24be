using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Judges the host's answers to the questions of an <c>input_required</c> result in the request that carries them, as those to a server's own requests. One
/// to an elicitation that does not pass leaves as "decline"; for sampling the protocol has no such word, so the retry is refused.
/// </summary>
internal static class ContinuedAnswers
{
    public static async ValueTask JudgeAsync(GuardedTransport transport, RequestContext retry)
    {
        if (retry.Continues is not { Questions.Count: > 0 } continued || !retry.Current.TryGetProperty("inputResponses"u8, out JsonElement given))
        {
            return;
        }

        var judged = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty answer in given.EnumerateObject())
        {
            if (!continued.Questions.TryGetValue(answer.Name, out ServerRequestContext? asked))
            {
                continue; // roots: those of the policy stand there already
            }

            HostAnswer verdict = transport.State.Runtime.Answers.Judge(asked, answer.Value);
            bool recorded = await transport.RecordAnswerAsync(asked, verdict).ConfigureAwait(false);
            if (verdict.IsSent && recorded)
            {
                judged.Add(answer.Name, verdict.Payload);
            }
            else if (string.Equals(asked.Method, MethodTable.Elicitation, StringComparison.Ordinal))
            {
                judged.Add(answer.Name, ServerAnswers.Declined);
            }
            else
            {
                retry.Refusal = new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.ServerRequests, verdict.Fault ?? "the answer could not be recorded");
                return;
            }
        }

        retry.SetPayload(WithAnswers(retry.Current, judged));
    }

    private static JsonElement WithAnswers(JsonElement payload, Dictionary<string, JsonElement> judged)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in payload.EnumerateObject())
            {
                if (!member.NameEquals("inputResponses"u8))
                {
                    member.WriteTo(writer);
                    continue;
                }

                writer.WriteStartObject("inputResponses"u8);
                foreach (JsonProperty answer in member.Value.EnumerateObject())
                {
                    writer.WritePropertyName(answer.Name);
                    (judged.TryGetValue(answer.Name, out JsonElement own) ? own : answer.Value).WriteTo(writer);
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
