using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>What is missing, doubled or unreadable stops the host with a message that names the fix.</summary>
[TestFixture]
internal sealed class ConfigurationTests
{
    private string _folder = string.Empty;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("mcp-guard-config-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Start_PolicyCanAskAndNobodyCanBeAsked_StopsTheHostNamingBothCalls()
    {
        using IHost host = Make(services => services.AddMcpGuard(policy => policy.StateDirectory(_folder).Server("s", server => server.HostProvided())).UseAudit(new AuditCollector()));

        var fault = await Assert.ThrowsAsync<McpGuardConfigurationException>(async () => await host.StartAsync());

        Assert.That(fault!.Message, Does.Contain("UseConsent").And.Contain("DenyInsteadOfAsking"));
    }

    [TestCase("{", "mcp-guard.json")]
    [TestCase("""{ "servers": { "s": { "comand": "node" } } }""", "comand")]
    [TestCase("""{ "defaults": { "promptMaxTokens": "many" } }""", "promptMaxTokens")]
    public async Task Start_PolicyFileNotAcceptable_StopsTheHostNamingThePlace(string text, string named)
    {
        string path = Path.Combine(_folder, "mcp-guard.json");
        await File.WriteAllTextAsync(path, text);
        using IHost host = Make(services => services.AddMcpGuard(path).DenyInsteadOfAsking().UseAudit(new AuditCollector()));

        var fault = await Assert.ThrowsAsync<McpGuardPolicyException>(async () => await host.StartAsync());

        Assert.That(fault!.Message, Does.Contain(named).And.Contain("mcp-guard.json"));
    }

    [Test]
    public async Task Start_NamedPolicyFileMissing_StopsTheHost()
    {
        string path = Path.Combine(_folder, "absent.json");
        using IHost host = Make(services => services.AddMcpGuard(path).DenyInsteadOfAsking().UseAudit(new AuditCollector()));

        var fault = await Assert.CatchAsync<Exception>(async () => await host.StartAsync());

        Assert.That(fault!.Message, Does.Contain("absent.json"));
    }

    [Test]
    public void AddMcpGuard_TwiceWithTheSamePolicy_AddsNothing()
    {
        var services = new ServiceCollection();
        McpGuardBuilder first = services.AddMcpGuard("mcp-guard.json");
        int count = services.Count;

        McpGuardBuilder second = services.AddMcpGuard("mcp-guard.json");

        Assert.That(second, Is.SameAs(first));
        Assert.That(services, Has.Count.EqualTo(count));
        Assert.That(() => services.AddMcpGuard("other.json"), Throws.InvalidOperationException.With.Message.Contains("twice"));
    }

    [Test]
    public async Task Start_TwoConsentProviders_StopsTheHost()
    {
        using IHost host = Make(services => services.AddMcpGuard(policy => policy.StateDirectory(_folder))
            .UseConsent(new ScriptedConsentProvider()).UseConsent(new ScriptedConsentProvider()).UseAudit(new AuditCollector()));

        Assert.That((await Assert.ThrowsAsync<McpGuardConfigurationException>(async () => await host.StartAsync()))!.Message, Does.Contain("UseConsent(...) once"));
    }

    [Test]
    public async Task Start_LaterRegistrationOfAProviderByAnotherPackage_ChangesNothing()
    {
        var mine = new ScriptedConsentProvider().Then(request => ConsentAnswer.Deny(request));
        var stranger = new ScriptedConsentProvider().Then(request => ConsentAnswer.AllowTool(request));
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Ask("ask", "echo"), builder => builder.Services.AddSingleton<IConsentProvider>(stranger));
        await using var client = await guard.ConnectAsync(server);

        var result = await client.CallToolAsync("echo");

        Assert.That(result.IsError, Is.True);
        Assert.That(stranger.Requests, Is.Empty);
        Assert.That(mine.Requests, Is.Empty);
        Assert.That(guard.Consent.Requests, Has.Count.EqualTo(1));
    }

    [TestCase("nowhere", null)]
    [TestCase(null, GuardStages.Consent)]
    public async Task Start_StageThatCannotBePlaced_StopsTheHostNamingTheStages(string? before, string? after)
    {
        using IHost host = Make(services => services.AddMcpGuard(policy => policy.StateDirectory(_folder))
            .DenyInsteadOfAsking().UseAudit(new AuditCollector()).AddStage(new NoOpinion(), before, after));

        Assert.That((await Assert.ThrowsAsync<McpGuardConfigurationException>(async () => await host.StartAsync()))!.Message, Does.Contain("GuardStages"));
    }

    [TestCase(null, GuardStages.ResultConsent)]
    [TestCase(null, GuardStages.ResultFraming)]
    [TestCase(GuardStages.ResultFraming, null)]
    public async Task Start_ResultStageBehindThePersonsAnswer_StopsTheHost(string? before, string? after)
    {
        // Whatever it asked nobody would be asked any more, and what it replaced nobody would have agreed to.
        using IHost host = Make(services => services.AddMcpGuard(policy => policy.StateDirectory(_folder))
            .DenyInsteadOfAsking().UseAudit(new AuditCollector()).AddStage(new NoOpinionOfResults(), before, after));

        Assert.That((await Assert.ThrowsAsync<McpGuardConfigurationException>(async () => await host.StartAsync()))!.Message, Does.Contain("GuardStages.ResultConsent"));
    }

    [Test]
    public async Task Start_RootCoversTheGuardsOwnFiles_StopsTheHost()
    {
        using IHost host = Make(services => services.AddMcpGuard(policy => policy
                .StateDirectory(Path.Combine(_folder, "state"))
                .AuditDirectory(Path.Combine(_folder, "audit"))
                .Server("s", server => server.HostProvided().Root(_folder)))
            .DenyInsteadOfAsking());

        Assert.That((await Assert.ThrowsAsync<McpGuardPolicyException>(async () => await host.StartAsync()))!.Message, Does.Contain(_folder));
    }

    private static IHost Make(Action<IServiceCollection> configure)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        configure(builder.Services);
        return builder.Build();
    }

    private sealed class NoOpinionOfResults : IGuardStage<GuardResultContext>
    {
        public string Name => "no-opinion-of-results";

        public ValueTask<GuardDecision> EvaluateAsync(GuardResultContext context, CancellationToken ct) => new(GuardDecision.Continue);
    }

    private sealed class NoOpinion : IGuardStage<GuardRequestContext>
    {
        public string Name => "no-opinion";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) => new(GuardDecision.Continue);
    }
}
