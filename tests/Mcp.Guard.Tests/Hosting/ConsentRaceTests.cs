using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>What changes between the question and the call: the answer lets through only what holds at the end.</summary>
[TestFixture]
internal sealed class ConsentRaceTests
{
    private const string Asks = """{"effect":"ask","tools":["echo"]}""";

    [TestCase("""{"ask":{"effect":"ask","tools":["echo"]},"no":{"effect":"deny","tools":["echo"]}}""", "[rule-denied]")]
    [TestCase("""{"ask":{"effect":"ask","tools":["echo"],"require":{"properties":{"note":{"const":"other"}}}}}""", "[arguments-invalid]")]
    [TestCase("""{"another":{"effect":"ask","tools":["echo"]}}""", "[consent-denied]")]
    [TestCase("""{"ask":{"effect":"ask","tools":["echo"]}}""", null)]
    public async Task Call_PolicyChangesWhileThePersonThinks_TheNewOneDecides(string rules, string? code)
    {
        string work = Directory.CreateTempSubdirectory("mcp-guard-race-").FullName;
        try
        {
            string path = Path.Combine(work, "mcp-guard.json");
            Write(path, work, $$"""{"ask":{{Asks}}}""");
            var consent = new ScriptedConsentProvider();
            var audit = new AuditCollector();
            var services = new ServiceCollection();
            services.AddMcpGuard(path).UseAudit(audit).UseConsent(consent);
            await using ServiceProvider provider = services.BuildServiceProvider();
            var guard = provider.GetRequiredService<McpGuardHost>();
            var server = new RawServer();
            await using McpClient client = await McpClient.CreateAsync(guard.Protect("test", server));
            await client.ListToolsAsync();
            string before = guard.PolicyRevision;
            consent.Then(request =>
            {
                Write(path, work, rules, comment: "second");
                ((PolicyFileSource)guard.Runtime.Policy).Reload();
                Assert.That(guard.PolicyRevision, Is.Not.EqualTo(before));
                return ConsentAnswer.AllowTool(request);
            });

            CallToolResult result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["note"] = "a" });

            Assert.That(server.Calls, Has.Count.EqualTo(code is null ? 1 : 0));
            Assert.That(code is null ? result.IsError is not true : ((TextContentBlock)result.Content[0]).Text.Contains(code, StringComparison.Ordinal), ((TextContentBlock)result.Content[0]).Text);
            await client.CallToolAsync("echo", new Dictionary<string, object?> { ["note"] = "a" });
            Assert.That(server.Calls, Has.Count.EqualTo(code is null ? 1 : 0), "a grant of the old policy is none of the new one");
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static void Write(string path, string work, string rules, string? comment = null) => File.WriteAllText(path, new JsonObject
    {
        ["description"] = comment ?? "first",
        ["stateDirectory"] = Path.Combine(work, "state"),
        ["defaults"] = new JsonObject { ["toolTimeout"] = comment is null ? "30s" : "31s" },
        ["servers"] = new JsonObject { ["test"] = new JsonObject { ["hostProvided"] = true, ["rules"] = JsonNode.Parse(rules) } },
    }.ToJsonString());
}
