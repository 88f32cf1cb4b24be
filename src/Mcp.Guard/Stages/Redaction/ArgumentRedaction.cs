using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Takes credentials out of what a host sends, where the policy says so (<c>redactArguments</c>), before anything is judged: rules, schemas, consent, grants,
/// the retry after <c>input_required</c> and the audit know only what will be sent.
/// </summary>
internal static class ArgumentRedaction
{
    /// <summary>Changes the request in place. A host's redactor that throws refuses the request.</summary>
    public static void Apply(RequestContext request)
    {
        if (request.Fault is not null || request.Settings is not { Limits.RedactArguments: true })
        {
            return;
        }

        request.ArgumentsRedacted = true;
        try
        {
            JsonElement current = request.Current;
            foreach (string member in MembersOf(request.Kind))
            {
                if (current.ValueKind != JsonValueKind.Object || !current.TryGetProperty(member, out JsonElement value))
                {
                    continue;
                }

                JsonElement redacted = request.Connection.Runtime.Redaction.Apply(value);
                if (!string.Equals(redacted.GetRawText(), value.GetRawText(), StringComparison.Ordinal))
                {
                    current = JsonMembers.Replace(current, System.Text.Encoding.UTF8.GetBytes(member), writer =>
                    {
                        writer.WritePropertyName(member);
                        redacted.WriteTo(writer);
                    });
                    (request.Changes ??= []).Add($"{GuardStages.Redaction}:{member}");
                }
            }

            if (request.Changes is not null)
            {
                request.SetPayload(current);
            }
        }
        catch (Exception fault)
        {
            request.Refusal = new GuardDenial(GuardDenialCodes.GuardFault, GuardStages.Redaction, $"the redactor failed ({fault.GetType().Name})");
        }
    }

    /// <summary>What of a request holds values that a model or a person wrote.</summary>
    private static string[] MembersOf(RequestKind kind) => kind switch
    {
        RequestKind.ToolCall or RequestKind.Prompt => ["arguments"],
        RequestKind.Completion => ["argument", "context"],
        _ => [],
    };
}
