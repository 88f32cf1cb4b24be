using System.Runtime.InteropServices;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// Judges what was filled into an elicitation form before it goes to the server (MCP 2026-07-28, client/elicitation: "clients SHOULD validate
/// responses"). The form's schema decides, by the schema engine and with formats asserted; beside it, an answer gives nothing that was not asked.
/// </summary>
internal sealed class FormAnswerCheck(ISchemaCompiler schemas)
{
    /// <summary>The most bytes of an answer: what <see cref="FormSchemaCheck.MaxFields"/> fields of 4 KiB take.</summary>
    public const int MaxBytes = 256 * 1024;

    private const int MaxErrors = 5;

    /// <param name="requestedSchema">The form, as the server sent it.</param>
    /// <param name="content">The answer's <c>content</c>, where its action is <c>accept</c>.</param>
    /// <param name="protocolVersion">The negotiated version; null is the newest.</param>
    public FormAnswerVerdict Judge(JsonElement requestedSchema, JsonElement content, string? protocolVersion)
    {
        FormSchemaVerdict form = FormSchemaCheck.Judge(requestedSchema);
        if (!form.IsAllowed)
        {
            return new FormAnswerVerdict(FormAnswerFault.Form, $"{form.Fault} at '{form.Field}'");
        }

        if (content.ValueKind != JsonValueKind.Object || JsonMarshal.GetRawUtf8Value(content).Length > MaxBytes)
        {
            return new FormAnswerVerdict(FormAnswerFault.NotAnAnswer, string.Empty);
        }

        var asked = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty field in requestedSchema.GetProperty("properties"u8).EnumerateObject())
        {
            asked.Add(JsonText.GetName(field));
        }

        foreach (JsonProperty field in content.EnumerateObject())
        {
            string name = JsonText.GetName(field);
            if (!asked.Contains(name))
            {
                return new FormAnswerVerdict(FormAnswerFault.UnknownField, name);
            }
        }

        SchemaCompilation schema = schemas.Compile(
            JsonMarshal.GetRawUtf8Value(requestedSchema),
            new SchemaOptions { Use = SchemaUse.Fragment, ProtocolVersion = protocolVersion, AssertFormats = true });
        if (!schema.IsCompiled)
        {
            return new FormAnswerVerdict(FormAnswerFault.Form, $"{schema.Rejection.Code} at '{schema.Rejection.Location}'");
        }

        var errors = new List<SchemaError>();
        SchemaOutcome outcome = schema.Schema.Validate(content, errors, MaxErrors);
        return outcome switch
        {
            SchemaOutcome.Valid => new FormAnswerVerdict(FormAnswerFault.None, string.Empty),
            SchemaOutcome.Invalid => new FormAnswerVerdict(FormAnswerFault.Invalid, string.Join("; ", errors.Select(error => $"'{error.InstanceLocation}' {error.KeywordLocation}"))),
            SchemaOutcome.MalformedText => new FormAnswerVerdict(FormAnswerFault.NotAnAnswer, "the answer is not JSON on which all readers agree"),
            _ => new FormAnswerVerdict(FormAnswerFault.Limit, outcome.ToString()),
        };
    }
}
