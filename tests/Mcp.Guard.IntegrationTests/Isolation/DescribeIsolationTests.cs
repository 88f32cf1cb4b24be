using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>The public review of what would be started, from the policy to the text.</summary>
[TestFixture]
internal sealed class DescribeIsolationTests
{
    private string _state = string.Empty;
    private string _files = string.Empty;

    [SetUp]
    public void SetUp()
    {
        _state = Directory.CreateTempSubdirectory("mcp-guard-describe-").FullName;
        _files = Probe.MakeFolder();
    }

    [TearDown]
    public void TearDown()
    {
        Directory.Delete(_state, recursive: true);
        Directory.Delete(_files, recursive: true);
    }

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
        Assert.That(text[text.IndexOf("not in force:", StringComparison.Ordinal)..], Does.Contain($"guard-files: mode none has no box: its user can change the guard's own {_state}").And.Contain("network: mode none has no box"));
    }

    // A server's roots are as writable to it as its mounts: a link below one is followed to no bind source.
    [Test]
    public async Task DescribeIsolation_FolderBehindALinkInTheRootOfAnotherServer_IsRefused()
    {
        Probe.RequireBubblewrap();
        string root = Directory.CreateDirectory(Path.Combine(_files, "root")).FullName;
        string aside = Directory.CreateDirectory(Path.Combine(_files, "aside")).FullName;
        string link = Path.Combine(root, "link");
        Directory.CreateSymbolicLink(link, aside);
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy.StateDirectory(_state)
            .Server("s", server => server.Command("/usr/bin/cat").Isolation("bubblewrap", link))
            .Server("other", server => server.Url("https://mcp.example.com/mcp").Root(root))).UseAudit(new AuditCollector()).UseConsent(new ScriptedConsentProvider());
        await using ServiceProvider provider = services.BuildServiceProvider();
        Assert.That(
            () => provider.GetRequiredService<IMcpGuard>().DescribeIsolation("s"),
            Throws.TypeOf<McpGuardException>().With.Message.Contains("which a server can change"));
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
