using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// The shape of a sampling request (MCP 2026-07-28, client/sampling): only members that are known here, never the host's tools, no context but by the
/// policy's word, no more tokens than it permits. Provider metadata and the <c>_meta</c> of messages and blocks are left out: nobody here can
/// judge them.
/// </summary>
internal sealed class SamplingRequestStage : IGuardStage<ServerRequestContext>
{
    private const int MaxMessages = 256;
    private const int MaxStops = 16;

    public string Name => "sampling-request";

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (!string.Equals(context.Method, MethodTable.Sampling, StringComparison.Ordinal))
        {
            return new(GuardDecision.Continue);
        }

        SamplingSettings settings = context.Settings!.Sampling;
        bool hasMessages = false;
        foreach (JsonProperty member in context.Current.EnumerateObject())
        {
            string? fault = FaultOf(member, settings);
            if (fault is not null)
            {
                return new(ServerRequestGate.Refuse(fault));
            }

            hasMessages |= member.NameEquals("messages"u8);
        }

        if (!hasMessages)
        {
            return new(ServerRequestGate.Refuse("a sampling request without messages"));
        }

        return new(MediaStage.FaultOf(context.Current, ContentPlace.Result, ContentControls.Of(context.Settings.Limits.Results).Media) is { } media
            ? ServerRequestGate.Refuse(media)
            : IsBounded(context.Current, settings) ? GuardDecision.Continue
            : GuardDecision.Replace(Bounded(context.Current, settings), "bounded", "tokens and members as the policy has them"));
    }

    private static string? FaultOf(JsonProperty member, SamplingSettings settings)
    {
        JsonElement value = member.Value;
        if (member.NameEquals("messages"u8))
        {
            return FaultOfMessages(value);
        }

        if (member.NameEquals("systemPrompt"u8))
        {
            return value.ValueKind == JsonValueKind.String ? null : "a system prompt that is no text";
        }

        if (member.NameEquals("tools"u8) || member.NameEquals("toolChoice"u8))
        {
            return "sampling with tools: a server never gets the host's";
        }

        if (member.NameEquals("includeContext"u8))
        {
            // "allServers" would hand what other servers said to this one, whatever the policy says of this one.
            return value.ValueKind == JsonValueKind.String && (value.ValueEquals("none"u8) || (settings.AllowContext && value.ValueEquals("thisServer"u8)))
                ? null
                : "sampling with context that the policy does not allow";
        }

        if (member.NameEquals("maxTokens"u8))
        {
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long tokens) && tokens > 0 ? null : "maxTokens is no positive whole number";
        }

        if (member.NameEquals("temperature"u8))
        {
            return value.ValueKind == JsonValueKind.Number ? null : "a temperature that is no number";
        }

        if (member.NameEquals("stopSequences"u8))
        {
            return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MaxStops && value.EnumerateArray().All(stop => stop.ValueKind == JsonValueKind.String)
                ? null
                : "stop sequences that are no short list of texts";
        }

        if (member.NameEquals("modelPreferences"u8) || member.NameEquals("metadata"u8) || member.NameEquals("_meta"u8))
        {
            return value.ValueKind == JsonValueKind.Object ? null : "a member of the sampling request that is no object";
        }

        return "a sampling request with a member that is not known here";
    }

    private static string? FaultOfMessages(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() is 0 or > MaxMessages)
        {
            return $"messages that are no list of 1 to {MaxMessages}";
        }

        foreach (JsonElement message in messages.EnumerateArray())
        {
            if (message.ValueKind != JsonValueKind.Object
                || !message.TryGetProperty("role"u8, out JsonElement role) || role.ValueKind != JsonValueKind.String
                || !(role.ValueEquals("user"u8) || role.ValueEquals("assistant"u8))
                || !message.TryGetProperty("content"u8, out JsonElement content))
            {
                return "a message without a role of the protocol or without content";
            }

            foreach (JsonProperty member in message.EnumerateObject())
            {
                if (!member.NameEquals("role"u8) && !member.NameEquals("content"u8) && !member.NameEquals("_meta"u8))
                {
                    return "a message with a member that is not known here";
                }
            }

            if (SamplingContent.FaultOf(content) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static bool IsBounded(JsonElement payload, SamplingSettings settings) =>
        payload.TryGetProperty("maxTokens"u8, out JsonElement asked) && asked.GetInt64() <= settings.MaxTokens && !payload.TryGetProperty("metadata"u8, out _)
        && payload.GetProperty("messages"u8).EnumerateArray().All(static message => !message.TryGetProperty("_meta"u8, out _) && SamplingContent.IsBare(message.GetProperty("content"u8)));

    private static void WriteMessages(JsonElement messages, Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        foreach (JsonElement message in messages.EnumerateArray())
        {
            writer.WriteStartObject();
            writer.WritePropertyName("role"u8);
            message.GetProperty("role"u8).WriteTo(writer);
            writer.WritePropertyName("content"u8);
            SamplingContent.WriteBare(message.GetProperty("content"u8), writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static JsonElement Bounded(JsonElement payload, SamplingSettings settings)
    {
        long tokens = payload.TryGetProperty("maxTokens"u8, out JsonElement asked) ? Math.Min(asked.GetInt64(), settings.MaxTokens) : settings.MaxTokens;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in payload.EnumerateObject())
            {
                if (member.NameEquals("messages"u8))
                {
                    writer.WritePropertyName("messages"u8);
                    WriteMessages(member.Value, writer);
                }
                else if (!member.NameEquals("maxTokens"u8) && !member.NameEquals("metadata"u8))
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteNumber("maxTokens"u8, tokens);
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
