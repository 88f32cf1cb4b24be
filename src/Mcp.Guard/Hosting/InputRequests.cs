using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Judges the requests of a server that hide in an <c>input_required</c> result (SEP-2322): each goes through the same boundary as a request sent as a
/// message. One that is refused refuses the result.
/// </summary>
internal static class InputRequests
{
    /// <summary>The questions that one result may ask.</summary>
    private const int MaxQuestions = 8;

    /// <summary>The longest opaque state that is carried, in UTF-16 units.</summary>
    private const int MaxStateLength = 64 * 1024;

    public static async ValueTask<InputRequestReview> ReviewAsync(GuardedTransport transport, RequestContext call, JsonElement result)
    {
        ConnectionState connection = transport.State;
        if (!MethodTable.IsStateless(connection.ProtocolVersion))
        {
            return Refuse("input_required before protocol version 2026-07-28");
        }

        if (call.Kind is not (RequestKind.ToolCall or RequestKind.Prompt or RequestKind.Resource))
        {
            return Refuse("input_required as the answer to a method that cannot ask back");
        }

        string? state = null;
        if (result.TryGetProperty("requestState"u8, out JsonElement given))
        {
            if (given.ValueKind != JsonValueKind.String || given.GetString()!.Length > MaxStateLength)
            {
                return Refuse("requestState is not a text, or too long");
            }

            state = given.GetString();
        }

        var admitted = new Dictionary<string, string>(StringComparer.Ordinal);
        var judged = new List<ServerRequestContext>();
        var asked = new Dictionary<string, ServerRequestContext>(StringComparer.Ordinal);
        CallChain? sampling = null;
        if (result.TryGetProperty("inputRequests"u8, out JsonElement questions))
        {
            if (questions.ValueKind != JsonValueKind.Object)
            {
                return Refuse("inputRequests is not an object");
            }

            foreach (JsonProperty question in questions.EnumerateObject())
            {
                if (admitted.Count == MaxQuestions)
                {
                    return Refuse($"more than {MaxQuestions} input requests");
                }

                if (question.Value.ValueKind != JsonValueKind.Object
                    || !question.Value.TryGetProperty("method"u8, out JsonElement method)
                    || method.ValueKind != JsonValueKind.String)
                {
                    return Refuse("an input request without a method");
                }

                string name = method.GetString()!;
                if (name == MethodTable.Sampling && (sampling = CallChain.ForSampling(call.Chain, CallChainLimits.Of(call.Settings))) is null)
                {
                    return new InputRequestReview(
                        new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "a sampling request too deep, or more than one call may cause"),
                        default,
                        new Dictionary<string, string>(),
                        new Dictionary<string, ServerRequestContext>(),
                        null);
                }

                question.Value.TryGetProperty("params"u8, out JsonElement parameters);
                bool isOfHost = name is MethodTable.Sampling or MethodTable.Elicitation;
                var context = new ServerRequestContext(
                    connection, call, call.Caller, DecisionIds.Next(connection.Runtime.Time), name, isOfHost && parameters.ValueKind == JsonValueKind.Object ? MetaFilter.FromServer(parameters, call.Settings) : parameters);
                GuardDenial? denial = name switch
                {
                    MethodTable.Roots => null, // answered from the policy's roots, whatever the host says
                    MethodTable.Sampling or MethodTable.Elicitation =>
                        await connection.Runtime.Pipeline.JudgeServerRequestAsync(context, CancellationToken.None).ConfigureAwait(false),
                    _ => new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.Methods, "an input request with a method that is not in the table"),
                };
                if (isOfHost && !await transport.RecordServerRequestAsync(context, denial).ConfigureAwait(false))
                {
                    return Refuse("an input request could not be recorded");
                }

                if (denial is not null)
                {
                    return Refuse(denial.Reason);
                }

                if (isOfHost)
                {
                    asked.Add(question.Name, context);
                }

                admitted.Add(question.Name, name);
                judged.Add(context);
            }
        }

        if (admitted.Count == 0 && state is null)
        {
            return Refuse("input_required that asks nothing and carries no state");
        }

        return new InputRequestReview(null, Rewrite(admitted, judged, state), admitted, asked, state) { SamplingChain = sampling };
    }

    /// <summary>Only what was judged goes on: the members that the guard knows, with the payloads as the stages left them.</summary>
    private static JsonElement Rewrite(Dictionary<string, string> admitted, List<ServerRequestContext> judged, string? state)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("resultType"u8, "input_required"u8);
            if (admitted.Count > 0)
            {
                writer.WriteStartObject("inputRequests"u8);
                int at = 0;
                foreach (var (key, method) in admitted)
                {
                    writer.WriteStartObject(key);
                    writer.WriteString("method"u8, method);
                    JsonElement parameters = judged[at++].Current;
                    if (parameters.ValueKind != JsonValueKind.Undefined)
                    {
                        writer.WritePropertyName("params"u8);
                        parameters.WriteTo(writer);
                    }

                    writer.WriteEndObject();
                }

                writer.WriteEndObject();
            }

            if (state is not null)
            {
                writer.WriteString("requestState"u8, state);
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static InputRequestReview Refuse(string reason) =>
        new(new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.Methods, reason), default, new Dictionary<string, string>(), new Dictionary<string, ServerRequestContext>(), null);
}
