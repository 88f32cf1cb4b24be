using System.Text.Json;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>The sampling and elicitation tools of the official server-everything, allowed and denied.</summary>
[TestFixture]
internal sealed class EverythingRequestTests
{
    private readonly List<ElicitRequestParams> _forms = [];
    private readonly List<CreateMessageRequestParams> _samplings = [];
    private readonly ScriptedConsentProvider _consent = new();
    private string _work = string.Empty;

    [SetUp]
    public void MakeFolder()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-everything-").FullName;
        _forms.Clear();
        _samplings.Clear();
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task Elicitation_Allowed_FormIsShownWithItsOriginAndAnswered()
    {
        await using ServiceProvider services = Make("elicitation", """{"allow":true}""");
        await using McpClient client = await ConnectAsync(services);
        CallToolResult result = await client.CallToolAsync("trigger-elicitation-request");
        string text = string.Concat(result.Content.OfType<TextContentBlock>().Select(block => block.Text));
        Assert.That(text, Does.Contain("User provided the requested information").And.Contain("- Name: Ada"));
        Assert.That(_forms.Single().Message, Does.StartWith("Server 'npm' asks the following, during 'trigger-elicitation-request'.").And.EndsWith("\n> \"Please provide inputs for the following fields:\"\n"));
    }

    [Test]
    public async Task Elicitation_MoreFieldsThanAllowed_ServerIsToldDecline()
    {
        await using ServiceProvider services = Make("elicitation", """{"allow":true,"maxFields":3}""");
        await using McpClient client = await ConnectAsync(services);
        CallToolResult result = await client.CallToolAsync("trigger-elicitation-request");
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("declined"));
        Assert.That(_forms, Is.Empty);
    }

    [TestCase("https://login.example.com/start", true)]
    [TestCase("https://login.example.org/start", false)]
    public async Task ElicitationByUrl_OnlyWhatThePolicyLists_IsShown(string url, bool isShown)
    {
        await using ServiceProvider services = Make("elicitation", """{"allow":true,"url":true,"urls":["https://login.example.com"]}""");
        await using McpClient client = await ConnectAsync(services);
        await client.CallToolAsync("trigger-url-elicitation", new Dictionary<string, object?> { ["url"] = url });
        Assert.That(_forms.Select(form => form.Url), Is.EqualTo(isShown ? (string[])[url] : []));
        if (isShown)
        {
            Assert.That(_forms[0].Message, Does.Contain($"It wants you to open {url}\nThe host of this address is login.example.com\n"));
        }
    }

    [Test]
    public async Task ElicitationByUrlAsAnError_IsRefused()
    {
        await using ServiceProvider services = Make("elicitation", """{"allow":true,"url":true,"urls":["https://login.example.com"]}""");
        await using McpClient client = await ConnectAsync(services);
        CallToolResult result = await client.CallToolAsync("trigger-url-elicitation", new Dictionary<string, object?> { ["url"] = "https://login.example.com/", ["errorPath"] = true });
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[server-request-refused]"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Sampling_AsThePersonSays(bool agrees)
    {
        _consent.Then(agrees ? ConsentAnswer.AllowOnce : ConsentAnswer.Deny);
        await using ServiceProvider services = Make("sampling", """{"allow":true,"maxTokens":10}""");
        await using McpClient client = await ConnectAsync(services);
        CallToolResult result = await client.CallToolAsync("trigger-sampling-request", new Dictionary<string, object?> { ["prompt"] = "hello", ["maxTokens"] = 100 });
        string text = ((TextContentBlock)result.Content[0]).Text;
        Assert.That(_samplings.Select(asked => asked.MaxTokens), Is.EqualTo(agrees ? (int[])[10] : []));
        Assert.That(text.Contains("the model's answer", StringComparison.Ordinal), Is.EqualTo(agrees));
        Assert.That(_consent.Requests.Last().ToolName, Is.EqualTo("trigger-sampling-request"));
    }

    private ServiceProvider Make(string key, string json)
    {
        string script = NpmServers.Require("server-everything", "index.js");
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy.StateDirectory(Path.Combine(_work, "guard-state")).Server("npm", server => server
                .Command(NpmServers.Node, script, "stdio").WithoutIsolation()
                .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1)))
                .With(key, json)))
            .UseAudit(new AuditCollector())
            .UseConsent(_consent);
        return services.BuildServiceProvider();
    }

    private Task<McpClient> ConnectAsync(ServiceProvider services) => services.GetRequiredService<IMcpGuard>().ConnectAsync("npm", new McpClientOptions
    {
        Handlers = new McpClientHandlers
        {
            ElicitationHandler = (asked, _) =>
            {
                _forms.Add(asked!);
                return new(new ElicitResult { Action = "accept", Content = asked!.Url is not null ? null : new Dictionary<string, JsonElement> { ["name"] = JsonDocument.Parse("\"Ada\"").RootElement } });
            },
            SamplingHandler = (asked, _, _) =>
            {
                _samplings.Add(asked!);
                return new(new CreateMessageResult { Model = "m", Content = [new TextContentBlock { Text = "the model's answer" }] });
            },
        },
    });
}
