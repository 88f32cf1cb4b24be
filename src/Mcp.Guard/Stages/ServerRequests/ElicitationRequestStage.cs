using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using AddressList = Mcp.Guard.Stages.ServerAdmission.UrlAllowlist;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// The shape of an elicitation (MCP 2026-07-28, client/elicitation): a form that MCP allows and that asks for no secret, or an address that the policy lists,
/// written as it will be opened. Nothing is resolved or fetched.
/// </summary>
internal sealed class ElicitationRequestStage : IGuardStage<ServerRequestContext>
{
    /// <summary>The longest message, in UTF-16 units.</summary>
    public const int MaxMessageLength = 8 * 1024;

    private const int MaxIdLength = 256;

    private readonly ConditionalWeakTable<IReadOnlyList<string>, AddressList> _compiled = [];

    public string Name => "elicitation-request";

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (!string.Equals(context.Method, MethodTable.Elicitation, StringComparison.Ordinal))
        {
            return new(GuardDecision.Continue);
        }

        JsonElement payload = context.Current;
        bool isUrl = IsUrl(payload);
        foreach (JsonProperty member in payload.EnumerateObject())
        {
            bool known = member.NameEquals("mode"u8) || member.NameEquals("message"u8) || member.NameEquals("_meta"u8)
                || (isUrl ? member.NameEquals("url"u8) || member.NameEquals("elicitationId"u8) : member.NameEquals("requestedSchema"u8));
            if (!known)
            {
                return new(ServerRequestGate.Refuse("an elicitation with a member that its mode does not have"));
            }
        }

        if (!isUrl && payload.TryGetProperty("mode"u8, out JsonElement mode) && !(mode.ValueKind == JsonValueKind.String && mode.ValueEquals("form"u8)))
        {
            return new(ServerRequestGate.Refuse("an elicitation of a mode that is not known here"));
        }

        if (!payload.TryGetProperty("message"u8, out JsonElement message) || message.ValueKind != JsonValueKind.String || JsonText.GetString(message).Length > MaxMessageLength)
        {
            return new(ServerRequestGate.Refuse("an elicitation without a message, or with one that nobody would read"));
        }

        ElicitationSettings settings = context.Settings!.Elicitation;
        return new(isUrl ? JudgeUrl(payload, settings) : JudgeForm(payload, settings));
    }

    /// <summary>Whether an elicitation wants an address opened; everything else is judged as a form.</summary>
    public static bool IsUrl(JsonElement payload) =>
        payload.TryGetProperty("mode"u8, out JsonElement mode) && mode.ValueKind == JsonValueKind.String && mode.ValueEquals("url"u8);

    private static GuardDecision JudgeForm(JsonElement payload, ElicitationSettings settings)
    {
        if (!settings.Form)
        {
            return ServerRequestGate.Refuse("the policy does not allow forms");
        }

        if (!payload.TryGetProperty("requestedSchema"u8, out JsonElement schema))
        {
            return ServerRequestGate.Refuse("a form without a schema");
        }

        FormSchemaVerdict verdict = FormSchemaCheck.Judge(schema);
        return !verdict.IsAllowed ? ServerRequestGate.Refuse($"the form is refused: {verdict.Fault}")
            : schema.GetProperty("properties"u8).GetPropertyCount() > settings.MaxFields ? ServerRequestGate.Refuse($"a form with more than {settings.MaxFields} fields")
            : GuardDecision.Continue;
    }

    private GuardDecision JudgeUrl(JsonElement payload, ElicitationSettings settings)
    {
        if (!settings.Url)
        {
            return ServerRequestGate.Refuse("the policy does not allow elicitation by URL");
        }

        if (!payload.TryGetProperty("url"u8, out JsonElement given) || given.ValueKind != JsonValueKind.String || UrlDisplay.Read(JsonText.GetString(given)) is not { } url)
        {
            return ServerRequestGate.Refuse("an address that cannot be shown: no absolute https address, or with what hides in it");
        }

        if (!payload.TryGetProperty("elicitationId"u8, out JsonElement id) || id.ValueKind != JsonValueKind.String
            || JsonText.GetString(id) is not { Length: > 0 and <= MaxIdLength } text || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return ServerRequestGate.Refuse("an elicitation by URL without an id in plain characters");
        }

        AddressList list = _compiled.GetValue(settings.Urls, static patterns => AddressList.Create(patterns));
        if (list.Problems.Count > 0)
        {
            return GuardDecision.Deny(GuardDenialCodes.GuardFault, $"a URL pattern of the policy cannot be used: {list.Problems[0].Message}");
        }

        var verdict = list.Check(url.Url);
        return !verdict.IsAllowed ? GuardDecision.Deny(GuardDenialCodes.UrlNotAllowed, verdict.Message)
            : given.ValueEquals(url.Url) ? GuardDecision.Continue
            : GuardDecision.Replace(WithUrl(payload, url.Url), "address", "the address as it is opened");
    }

    private static JsonElement WithUrl(JsonElement payload, string url)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in payload.EnumerateObject())
            {
                if (member.NameEquals("url"u8))
                {
                    writer.WriteString("url"u8, url);
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
