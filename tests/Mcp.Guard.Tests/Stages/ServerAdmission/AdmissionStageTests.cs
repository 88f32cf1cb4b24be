using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ServerAdmission;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>Who may be connected to, and what URLs the arguments of calls may name, through the whole guard.</summary>
[TestFixture]
internal sealed class AdmissionStageTests
{
    [TestCase("""{"url":"https://api.example.net/x"}""", null)]
    [TestCase("""{"url":"https://evil.example.net/"}""", "'/url': no entry of the allowlist names this scheme, host and port")]
    [TestCase("""{"a":[{"b":"https://10.0.0.1/"}]}""", "'/a/0/b': the address is not public and no entry lists it exactly")]
    [TestCase("""{"text":"plain"}""", null)]
    public async Task Call_UrlInArguments_IsHeldToTheRule(string arguments, string? why)
    {
        var server = new RawServer();
        await using var guard = Guard("https://api.example.net");
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, arguments), Is.EqualTo(why is not null));
        Assert.That(server.Calls, Has.Count.EqualTo(why is null ? 1 : 0));
        Assert.That(guard.Audit.Records.SingleOrDefault(record => record.Code == GuardDenialCodes.UrlNotAllowed)?.Reason, Is.EqualTo(why));
    }

    [Test]
    public async Task Call_SeveralRulesWithUrls_AllHold()
    {
        var server = new RawServer();
        await using var guard = Guard("https://api.example.net", settings => settings.Allow("also", rule => rule.Tools("echo").Urls("https://*.example.net/v1")));
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, """{"url":"https://api.example.net/v1"}"""), Is.False);
        Assert.That(await CallAsync(client, """{"url":"https://api.example.net/v2"}"""), Is.True);
        Assert.That(await CallAsync(client, """{"url":"https://other.example.net/v1"}"""), Is.True);
    }

    [TestCase("""{"host":"169.254.169.254"}""", "'/host': the URL does not start with http:// or https://")]
    [TestCase("""{"host":"https://evil.example.net"}""", "'/host': no entry of the allowlist names this scheme, host and port")]
    [TestCase("""{"hosts":["https://api.example.net","10.0.0.1"]}""", "'/hosts/1': the URL does not start with http:// or https://")]
    [TestCase("""{"host":"https://api.example.net","text":"10.0.0.1"}""", null)]
    public async Task Call_ArgumentDeclaredAsUrl_IsHeldToTheRuleWhateverItLooksLike(string arguments, string? why)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Allow("all", rule => rule
            .Tools("echo").RateLimit(1_000, TimeSpan.FromSeconds(1)).With("urls", """{"allow":["https://api.example.net"],"arguments":["/host","/hosts/*"]}""")));
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, arguments), Is.EqualTo(why is not null));
        Assert.That(server.Calls, Has.Count.EqualTo(why is null ? 1 : 0));
        Assert.That(guard.Audit.Records.SingleOrDefault(record => record.Code == GuardDenialCodes.UrlNotAllowed)?.Reason, Is.EqualTo(why));
    }

    [TestCase("https://*.com", "/x", "a URL pattern of a rule cannot be used: the star covers a suffix")]
    [TestCase("https://*.com", "x", "a URL pattern of a rule cannot be used: the star covers a suffix")]
    [TestCase("https://api.example.net", "x", "'x' of a rule's URL arguments is no JSON Pointer")]
    [TestCase("https://api.example.net", "/x", null)]
    public void Create_RuleThatCannotBeUsed_SaysWhy(string pattern, string pointer, string? problem) =>
        Assert.That(
            UrlArgumentRules.Create(new Mcp.Guard.Policy.UrlAllowlist([pattern], [pointer])).Problem,
            problem is null ? Is.Null : Does.StartWith(problem));

    [Test]
    public async Task Call_RuleWithoutUrls_LeavesThemAlone()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, """{"url":"https://anything.example.net/"}"""), Is.False);
    }

    [TestCase("other", "host-provided")]
    [TestCase("test", "https://evil.example.net/mcp")]
    public async Task Connect_ServerThatThePolicyNoLongerNamesSo_IsRefused(string id, string endpoint)
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await guard.Host.StartAsync(default);
        var connection = new ConnectionContext(new ConnectionState(guard.Host.Runtime, new McpServerIdentity(id, endpoint)), new GuardCaller("ada", "s1"), "d") { LaunchedByGuard = true };
        GuardDenial? denial = await guard.Host.Runtime.Pipeline.JudgeConnectionAsync(connection, default);
        Assert.That((denial?.Code, denial?.Reason), Is.EqualTo((GuardDenialCodes.ServerNotAllowed, "the policy in force does not name this server, or reaches it in another way")));
    }

    [Test]
    public async Task Connect_HaltedServer_IsRefusedWithTheReason()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await guard.Guard.HaltAsync(new HaltScope("test"), "maintenance");
        McpGuardException refused = (await Assert.ThrowsAsync<McpGuardException>(() => guard.ConnectAsync(new RawServer())))!;
        Assert.That(refused.Code, Is.EqualTo(GuardDenialCodes.Halted));
        Assert.That(guard.Audit.Records.Any(record => record.Code == GuardDenialCodes.Halted && record.Reason!.StartsWith("stopped since 20", StringComparison.Ordinal) && record.Reason.EndsWith(": maintenance", StringComparison.Ordinal)), Is.True);
    }

    [TestCase("\"url\":\"https://a.example.net/mcp\"", false)]
    [TestCase("\"url\":\"https://a.example.net/mcp\",\"transport\":\"unchecked\"", true)]
    public async Task Protect_TransportOfTheHosts_NeedsThePolicysWord(string members, bool accepted)
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll(), policy: policy => policy.Server("remote", settings =>
        {
            settings.Url("https://a.example.net/mcp");
            if (members.Contains("unchecked", StringComparison.Ordinal))
            {
                settings.With("transport", "\"unchecked\"");
            }
        }));
        string? code = null;
        try
        {
            await using McpClient client = await McpClient.CreateAsync(guard.Guard.Protect("remote", new RawServer()));
        }
        catch (McpGuardException refused)
        {
            code = refused.Code;
        }

        Assert.That(code, Is.EqualTo(accepted ? null : GuardDenialCodes.ServerNotAllowed));
        Assert.That(
            guard.Audit.Records.Where(record => record.Code == GuardDenialCodes.ServerNotAllowed).Select(record => record.Reason),
            accepted ? Is.Empty : Has.Some.EqualTo("the transport was built by the host and cannot be checked against the policy's endpoint; connect with IMcpGuard.ConnectAsync, or mark the server \"transport\": \"unchecked\""));
    }

    private static GuardFixture Guard(string pattern, Action<GuardServerBuilder>? more = null) => new(settings =>
    {
        settings.Allow("all", rule => rule.Tools("echo").RateLimit(1_000, TimeSpan.FromSeconds(1)).Urls(pattern));
        more?.Invoke(settings);
    });

    private static async Task<bool> CallAsync(McpClient client, string arguments)
    {
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "tools/call",
            Params = new JsonObject { ["name"] = "echo", ["arguments"] = JsonNode.Parse(arguments) },
        });
        return (bool?)response.Result!["isError"] == true;
    }
}
