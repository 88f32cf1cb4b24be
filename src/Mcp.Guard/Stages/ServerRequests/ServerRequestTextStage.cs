using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// Every text that the host's model or a person would read, cleaned by the rules for descriptions. A finding that the policy refuses there refuses the
/// request; one that it asks about is put to a person. A form whose values would have to be cleaned is refused: they come back in the answer.
/// </summary>
internal sealed class ServerRequestTextStage(IContentSanitizer host, ContentRedaction redaction) : IGuardStage<ServerRequestContext>
{
    public string Name => "server-request-text";

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        ServerSettings settings = context.Settings!;
        ContentFlags flags = ContentFlags.None;
        bool changed = false;
        JsonElement cleaned;
        if (string.Equals(context.Method, MethodTable.Sampling, StringComparison.Ordinal))
        {
            cleaned = Clean(context.Current, settings, ContentPlace.Result, ref flags, ref changed);
        }
        else if (CleanElicitation(context.Current, settings, ref flags, ref changed) is { } elicitation)
        {
            cleaned = elicitation;
        }
        else
        {
            return new(ServerRequestGate.Refuse("a form with values that would have to be cleaned"));
        }

        foreach (var (finding, action) in settings.Flags)
        {
            if (((int)flags & (int)finding) == 0 || action == FlagAction.Report)
            {
                continue;
            }

            string flag = ContentFlagNames.Of((ContentFlags)(int)finding)[0];
            if (action != FlagAction.Ask)
            {
                return new(ServerRequestGate.Refuse($"the request was flagged {flag}, which the policy refuses"));
            }

            context.Ask(Name, flag, $"the request was flagged {flag}");
        }

        return new(changed ? GuardDecision.Replace(cleaned, "sanitised", "the text was cleaned") : GuardDecision.Continue);
    }

    /// <summary>The message and the texts of the form; an address is judged elsewhere and stays as it is. Null where a value of the form would change.</summary>
    private JsonElement? CleanElicitation(JsonElement payload, ServerSettings settings, ref ContentFlags flags, ref bool changed)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in payload.EnumerateObject())
            {
                bool isForm = member.NameEquals("requestedSchema"u8);
                if (!isForm && !member.NameEquals("message"u8))
                {
                    member.WriteTo(writer);
                    continue;
                }

                JsonElement text = Clean(member.Value, settings, ContentPlace.Elsewhere, ref flags, ref changed);
                if (isForm && !FormValues.AreEqual(member.Value, text))
                {
                    return null;
                }

                writer.WritePropertyName(isForm ? "requestedSchema"u8 : "message"u8);
                text.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private JsonElement Clean(JsonElement value, ServerSettings settings, ContentPlace place, ref ContentFlags flags, ref bool changed)
    {
        ContentControls controls = ContentControls.Of(settings.Limits.Results);
        SanitizedJson sanitized = controls.Sanitizer.Sanitize(value, TextSurface.Description, place);
        flags |= sanitized.Flags;
        JsonElement current = sanitized.Utf8 is { } utf8 ? JsonDocument.Parse(utf8).RootElement : value;
        if (host is not BuiltInContentSanitizer)
        {
            current = HostText.Apply(current, text => host.Sanitize(text, ContentSurface.Prompt).Text, place);
        }

        current = controls.Settings.Redact ? redaction.Apply(current, place) : current;
        changed |= !string.Equals(current.GetRawText(), value.GetRawText(), StringComparison.Ordinal);
        return current;
    }
}
