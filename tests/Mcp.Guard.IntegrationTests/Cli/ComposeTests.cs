using Mcp.Guard.Cli.Compose;
using Mcp.Guard.IntegrationTests.Isolation;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Cli;

/// <summary>Compose files of the same ten policies whose container command lines are approved, and the verb itself.</summary>
[TestFixture]
internal sealed class ComposeTests
{
    private static readonly Dictionary<string, string> Secrets = new(StringComparer.Ordinal) { ["API_KEY"] = "CRM_KEY" };

    [TestCaseSource(typeof(ContainerPlanTests), nameof(ContainerPlanTests.Policies))]
    public void From_Policy_GivesTheApprovedService(string name, IsolationOptions options, IsolationHost host)
    {
        string received = YamlText.Write(ComposeService.From(IsolationPlanner.Create(options, host), Secrets));
        string approved = Path.Combine(AppContext.BaseDirectory, "Isolation", "Approved", $"compose-{name}.txt");
        if (!File.Exists(approved) || File.ReadAllText(approved) != received)
        {
            File.WriteAllText(Path.Combine(AppContext.BaseDirectory, $"compose-{name}.received.txt"), received);
            Assert.Fail($"not the approved service; received:\n{received}");
        }
    }

    [Test]
    public void From_OptionThatIsNotKnown_IsAnErrorAndNotLost()
    {
        IsolationPlan plan = PlanWith("--new-limit", "7");
        Assert.That(() => ComposeService.From(plan, Secrets), Throws.InvalidOperationException.With.Message.Contains("--new-limit"));
    }

    [Test]
    public void From_SecretWithoutAName_IsAnError()
    {
        IsolationPlan plan = PlanWith("--env", "API_KEY");
        Assert.That(() => ComposeService.From(plan, new Dictionary<string, string> { ["API_KEY"] = "crm.key" }), Throws.InvalidOperationException.With.Message.Contains("crm.key"));
    }

    [Test]
    public void From_ImageWithADollar_NamesNoVariableOfWhoeverRunsCompose() =>
        Assert.That(ComposeService.From(PlanWith("--rm") with { Arguments = ["run", "--rm", "${REGISTRY}/server"] }, Secrets)["image"]!.GetValue<string>(), Is.EqualTo("$${REGISTRY}/server"));

    [Test]
    public void Write_HostileTexts_StayTextsOfOneLine()
    {
        var root = new System.Text.Json.Nodes.JsonObject
        {
            ["yes"] = System.Text.Json.Nodes.JsonValue.Create("no"),
            ["a: b"] = System.Text.Json.Nodes.JsonValue.Create("x\ninjected: true\t\"\\ \u2028 \u202e \U0001F600 \u0085"),
            ["n"] = System.Text.Json.Nodes.JsonValue.Create(1),
            ["l"] = new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["k"] = System.Text.Json.Nodes.JsonValue.Create("- v"), ["m"] = System.Text.Json.Nodes.JsonValue.Create(true) }),
        };
        Assert.That(YamlText.Write(root), Is.EqualTo(
            "\"yes\": \"no\"\n\"a: b\": \"x\\x0Ainjected: true\\x09\\\"\\\\ \\u2028 \\u202E \\U0001F600 \\x85\"\n\"n\": 1\nl:\n  - k: \"- v\"\n    m: true\n"));
    }

    [Test]
    public async Task Compose_ServerInAContainer_WritesItAndLeavesTheOthersOut()
    {
        using var folder = new CliFolder();
        string digest = new('a', 64);
        folder.Write("policy.json", $$"""
            { "servers": {
              "boxed": { "command": "/usr/local/bin/server", "arguments": ["--price", "$5"], "environment": { "TOKEN": { "secret": "TOKEN" }, "MODE": "a$b" },
                         "isolation": { "mode": "container", "image": "example.com/server@sha256:{{digest}}", "memory": "64MiB" } },
              "elsewhere": { "url": "https://mcp.example.com/mcp" }
            } }
            """);
        McpGuardProcess run = await McpGuardProcess.RunAsync(folder.FullPath, ["compose", "policy.json"], environment: new Dictionary<string, string> { ["TOKEN"] = "hunter2-hunter2" });
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.Zero, run.Both);
            Assert.That(run.Output, Does.Contain("  boxed:").And.Contain($"example.com/server@sha256:{digest}").And.Contain("read_only: true").And.Contain("mem_limit: \"67108864b\""));
            Assert.That(run.Output, Does.Contain("TOKEN: \"${TOKEN:?the server needs the secret TOKEN}\"").And.Contain("\"a$$b\"").And.Contain("\"$$5\""));
            Assert.That(run.Both, Does.Not.Contain("hunter2"));
            Assert.That(run.Error, Does.Contain("elsewhere is left out"));
        });
        McpGuardProcess once = await McpGuardProcess.RunAsync(folder.FullPath, ["compose", "policy.json", "-o", "compose.yaml"]);
        McpGuardProcess twice = await McpGuardProcess.RunAsync(folder.FullPath, ["compose", "policy.json", "-o", "compose.yaml"]);
        Assert.That((once.ExitCode, twice.ExitCode), Is.EqualTo((0, 2)), twice.Both);
    }

    private static IsolationPlan PlanWith(params string[] options) => new()
    {
        Server = "s",
        InstanceId = "1",
        Mode = IsolationMode.Container,
        Executable = "/usr/bin/docker",
        Arguments = ["run", .. options, "image"],
        Environment = [],
        ServerEnvironment = [],
        Controls = [],
    };
}
