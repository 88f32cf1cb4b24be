using System.Text;
using System.Text.Json;
using Mcp.Guard.Cli.Checks;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Tests.Cli;

/// <summary><c>check --against</c> says of a tool what the pipeline does with a call of it.</summary>
[TestFixture]
internal sealed class ToolOutlookTests
{
    private static readonly string[] Rules =
    [
        "{}",
        """{ "d": { "tools": ["*"], "effect": "deny" } }""",
        """{ "a": { "tools": ["tool"], "effect": "allow" } }""",
        """{ "a": { "tools": ["t*"], "effect": "allow" } }""",
        """{ "a": { "tools": ["tool"], "effect": "allow" }, "q": { "tools": ["*"], "effect": "ask" } }""",
        """{ "a": { "tools": ["tool"], "effect": "allow" }, "d": { "tools": ["tool"], "effect": "deny" } }""",
        """{ "h": { "tools": ["tool"], "effect": "ask", "destructive": false } }""",
        """{ "a": { "tools": ["tool"], "effect": "allow" }, "d": { "tools": ["tool"], "effect": "deny", "when": { "required": ["never"] } } }""",
    ];

    private static readonly string[] Settings =
    [
        "",
        """ "trusted": true, """,
        """ "confirmation": "always", "trusted": true, """,
        """ "flags": { "instruction-like": "deny", "hidden-unicode": "ask" }, """,
        """ "pins": { "tool": "0000000000000000000000000000000000000000000000000000000000000000" }, """,
        """ "pins": { "other": "0000000000000000000000000000000000000000000000000000000000000000" }, """,
    ];

    private static readonly string[] Tools =
    [
        """{ "name": "tool", "inputSchema": { "type": "object" } }""",
        """{ "name": "tool", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true, "openWorldHint": false } }""",
        """{ "name": "tool", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true, "destructiveHint": true } }""",
        """{ "name": "tool", "description": "Reads.\u200b\u200b", "inputSchema": { "type": "object" } }""",
        """{ "name": "tool", "inputSchema": { "type": "string" } }""",
        """{ "name": "tool", "inputSchema": { "type": "object", "properties": 7 } }""",
    ];

    [Test]
    public async Task Of_EveryCombination_IsWhatThePipelineDecides()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string rules in Rules)
        {
            foreach (string settings in Settings)
            {
                foreach (string tool in Tools)
                {
                    string policy = $$"""{ "servers": { "s": { {{settings}} "hostProvided": true, "rules": {{rules}} } } }""";
                    (string said, string decided) = await CompareAsync(policy, tool);
                    seen.Add(decided);
                    Assert.That(said, Is.EqualTo(decided), $"{policy} {tool}");
                }
            }
        }

        Assert.That(seen, Is.EquivalentTo((string[])["allow", "ask", "deny"]));
    }

    private static async Task<(string Said, string Decided)> CompareAsync(string json, string tool)
    {
        PolicySnapshot policy = PolicyReader.Read(Encoding.UTF8.GetBytes(json), null, new BuiltInSchemaCompiler());
        bool asked = false;
        var services = new ServiceCollection();
        services.AddMcpGuard(policy).UseAudit(new AuditCollector()).UseConsent((request, _) =>
        {
            asked = true;
            return new(ConsentAnswer.Deny(request));
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        var guard = provider.GetRequiredService<McpGuardHost>();
        await guard.StartAsync(CancellationToken.None);
        var state = new ConnectionState(guard.Runtime, policy.Servers["s"].Identity);
        var connection = new GuardConnection(state);
        await using (GuardEvaluation listing = await guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8)))
        {
            await listing.CompleteAsync(JsonDocument.Parse($$"""{ "tools": [{{tool}}] }""").RootElement);
        }

        ToolOutlook outlook = ToolOutlook.Of(policy.Servers["s"], state.Tools.Find("tool")!);
        await using GuardEvaluation call = await guard.Policy.EvaluateAsync(connection.CreateRequest("tools/call", """{ "name": "tool", "arguments": {} }"""u8));
        return (outlook.Decision, asked ? "ask" : call.IsAllowed ? "allow" : "deny");
    }
}
