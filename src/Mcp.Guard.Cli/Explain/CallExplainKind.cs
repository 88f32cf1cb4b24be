using System.Text;
using System.Text.Json;
using Mcp.Guard.Cli.Servers;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.Cli.Explain;

/// <summary>
/// What the whole pipeline decides about one tool call: the same guard that a host has, with nobody to ask and an audit that goes nowhere. Where a person
/// would be asked, the answer is <c>ask</c> and shows what that person would see.
/// </summary>
internal sealed class CallExplainKind : IExplainKind
{
    public string Name => "call";

    public void Answer(JsonElement input, Utf8JsonWriter output) => AnswerAsync(input, output).GetAwaiter().GetResult();

    private static async Task AnswerAsync(JsonElement input, Utf8JsonWriter output)
    {
        string server = ExplainInput.Text(input, "server");
        JsonElement tool = ExplainInput.Required(input, "tool");
        string toolName = tool.ValueKind == JsonValueKind.Object ? ExplainInput.Text(tool, "name") : throw new ExplainInputException("'tool' must be a tool definition");
        PolicySnapshot policy = ReadPolicy(ExplainInput.Required(input, "policy"));
        var asked = new AskedNobody();
        var services = new ServiceCollection();
        // What was pinned counts; what is shown here is never pinned, and no grant is used up.
        using FilePinStore? pinned = policy.SourcePath is null ? null : new FilePinStore(Path.Combine(policy.StateDirectory, "pins.json"), TimeProvider.System, NullLogger.Instance);
        services.AddMcpGuard(policy).UseAudit(new NoAudit()).UseConsent(asked)
            .UsePinStore(_ => new OverlayPinStore(pinned))
            .UseConsentStore(static _ => new InMemoryConsentStore(TimeProvider.System));
        ServiceProvider provider = services.BuildServiceProvider();
        await using (provider.ConfigureAwait(false))
        {
            var guard = provider.GetRequiredService<McpGuardHost>();
            await guard.StartAsync(CancellationToken.None).ConfigureAwait(false);
            GuardConnection connection;
            try
            {
                connection = guard.OpenConnection(server);
            }
            catch (McpGuardException denied)
            {
                WriteVerdict(output, "deny", denied.Code, "server-admission", []);
                return;
            }

            await ListAsync(guard, connection, tool).ConfigureAwait(false);
            GuardCaller? caller = input.TryGetProperty("caller", out JsonElement named) && named.ValueKind == JsonValueKind.Object
                ? new GuardCaller(ExplainInput.OptionalText(named, "user") ?? "user", ExplainInput.OptionalText(named, "session") ?? "session")
                {
                    Intent = ExplainInput.OptionalText(named, "intent"),
                }
                : null;
            GuardRequestContext context = connection.CreateRequest("tools/call", CallParameters(toolName, input), caller);
            GuardEvaluation evaluation = await guard.Policy.EvaluateAsync(context).ConfigureAwait(false);
            await using (evaluation.ConfigureAwait(false))
            {
                if (asked.Request is { } request)
                {
                    WriteVerdict(output, "ask", string.Empty, GuardStages.Consent, context.MatchedRules);
                    WriteConsent(output, request);
                }
                else if (evaluation.Denial is { } denial)
                {
                    WriteVerdict(output, "deny", denial.Code, denial.Stage, context.MatchedRules);
                    output.WriteString("message", denial.ModelMessage);
                }
                else
                {
                    WriteVerdict(output, "allow", string.Empty, string.Empty, context.MatchedRules);
                }
            }
        }
    }

    private static PolicySnapshot ReadPolicy(JsonElement policy)
    {
        try
        {
            if (policy.ValueKind == JsonValueKind.String)
            {
                string path = Path.GetFullPath(policy.GetString()!);
                return PolicyReader.Read(File.ReadAllBytes(path), path, new BuiltInSchemaCompiler());
            }

            return PolicyReader.Read(Encoding.UTF8.GetBytes(policy.GetRawText()), null, new BuiltInSchemaCompiler());
        }
        catch (McpGuardPolicyException unusable)
        {
            throw new ExplainInputException($"the policy is not acceptable: {unusable.Message}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ExplainInputException($"the policy cannot be read: {unreadable.Message}");
        }
    }

    private static async Task ListAsync(McpGuardHost guard, GuardConnection connection, JsonElement tool)
    {
        GuardEvaluation listing = await guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8)).ConfigureAwait(false);
        await using (listing.ConfigureAwait(false))
        {
            if (listing.IsAllowed)
            {
                JsonElement listed = JsonDocument.Parse($$"""{"tools":[{{tool.GetRawText()}}]}""").RootElement;
                await listing.CompleteAsync(listed).ConfigureAwait(false);
            }
        }
    }

    private static byte[] CallParameters(string tool, JsonElement input)
    {
        string arguments = input.TryGetProperty("arguments", out JsonElement given) ? given.GetRawText() : "{}";
        return Encoding.UTF8.GetBytes($$"""{"name":"{{JsonEncodedText.Encode(tool)}}","arguments":{{arguments}}}""");
    }

    private static void WriteVerdict(Utf8JsonWriter output, string decision, string code, string stage, IReadOnlyList<string> rules)
    {
        output.WriteString("decision", decision);
        output.WriteString("code", code);
        output.WriteString("stage", stage);
        output.WriteString("rule", string.Join(',', rules));
    }

    private static void WriteConsent(Utf8JsonWriter output, ConsentRequest request)
    {
        output.WriteStartObject("consent");
        output.WriteString("tool", request.ToolName);
        output.WriteString("server", request.ServerId);
        output.WriteString("arguments", request.ArgumentsForDisplay);
        output.WriteBoolean("cut", request.IsCut);
        output.WriteStartArray("reasons");
        foreach (string reason in request.Reasons)
        {
            output.WriteStringValue(reason);
        }

        output.WriteEndArray();
        output.WriteBoolean("destructive", request.IsDestructive);
        output.WriteBoolean("openWorld", request.IsOpenWorld);
        output.WriteString("offered", request.Offered.ToString());
        output.WriteEndObject();
    }

    private sealed class NoAudit : IAuditSink
    {
        public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default;
    }

    private sealed class AskedNobody : IConsentProvider
    {
        public ConsentRequest? Request { get; private set; }

        public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
        {
            Request = request;
            return new(ConsentAnswer.Deny(request));
        }
    }
}
