using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>The public review of what would be started, from the policy to the text.</summary>
[TestFixture]
internal sealed class DescribeIsolationTests
{
    private string _state = string.Empty;

    [SetUp]
    public void SetUp() => _state = Directory.CreateTempSubdirectory("mcp-guard-describe-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_state, recursive: true);

    [Test]
    public async Task DescribeIsolation_BoxedServer_GivesCommandControlsAndNoSecret()
    {
        Probe.RequireBubblewrap();
        await using ServiceProvider services = Services(server => server.Command("/usr/bin/cat", "a b").Isolation("bubblewrap").EnvironmentSecret("API_TOKEN", "never-resolved"));
        string text = services.GetRequiredService<IMcpGuard>().DescribeIsolation("s");
        Assert.That(text, Does.Contain("mode: bubblewrap").And.Contain("--unshare-user").And.Contain("\"a b\"").And.Contain("API_TOKEN=(secret)")
            .And.Contain("system-calls: a list of allowed calls").And.Contain("not in force:\n").And.Not.Contain("never-resolved"));
    }

    [Test]
    public async Task DescribeIsolation_ModeNone_SaysThatNothingHoldsIt()
    {
        Probe.RequireLinux();
        await using ServiceProvider services = Services(server => server.Command("/usr/bin/cat").WithoutIsolation());
        string text = services.GetRequiredService<IMcpGuard>().DescribeIsolation("s");
        Assert.That(text[text.IndexOf("not in force:", StringComparison.Ordinal)..], Does.Contain("guard-files: mode none has no box").And.Contain("network: mode none has no box"));
    }

    [TestCase("s", "not started by the guard")]
    [TestCase("other", "")]
    public async Task DescribeIsolation_WhatTheGuardDoesNotStart_Throws(string id, string says)
    {
        await using ServiceProvider services = Services(server => server.Url("https://mcp.example.com/mcp"));
        Assert.That(() => services.GetRequiredService<IMcpGuard>().DescribeIsolation(id), Throws.TypeOf<McpGuardException>().With.Message.Contains(says));
    }

    private ServiceProvider Services(Action<GuardServerBuilder> server)
    {
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy.StateDirectory(_state).Server("s", server)).UseAudit(new AuditCollector()).UseConsent(new ScriptedConsentProvider());
        return services.BuildServiceProvider();
    }
}
