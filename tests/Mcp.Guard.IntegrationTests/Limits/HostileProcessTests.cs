using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.IntegrationTests.Isolation;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Limits;

/// <summary>Real server processes that do not obey: the caller gets its time-out, the others go on, and the process tree ends by the rule of docs/limits.md.</summary>
[TestFixture]
internal sealed class HostileProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private string _folder = string.Empty;

    [SetUp]
    public void SetUp()
    {
        Probe.RequireLinux();
        _folder = Probe.MakeFolder();
    }

    [TearDown]
    public void TearDown()
    {
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [TestCase("none")]
    [TestCase("bubblewrap")]
    public async Task Hang_IgnoresTheCancellationAndTheProbe_ProcessTreeEndsAndOthersGoOn(string mode)
    {
        if (mode == "bubblewrap")
        {
            Probe.RequireBubblewrap();
        }

        await using var host = new Host(server => HostileHost.Configure(server, Isolation(mode)).Root(_folder).With("toolTimeout", "\"1s\""));
        await using McpClient quiet = await host.Guard.ConnectAsync("quiet");
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        string file = Path.Combine(_folder, "child");
        int server = int.Parse(await CallAsync(hostile, "pid"), CultureInfo.InvariantCulture);

        string answer = await CallAsync(hostile, "hang", file);
        Assert.That(answer, Does.Contain("[timeout]"));
        Assert.That(await CallAsync(quiet, "echo", "meanwhile"), Is.EqualTo("meanwhile"));
        int child = int.Parse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture);

        await UntilAsync(() => host.Ended is not null);
        await UntilAsync(() => (mode != "none" || (Gone(server) && Gone(child))) && host.Guard.LoadOf("hostile") == default);
        Assert.Multiple(() =>
        {
            Assert.That(host.Ended!.Reason, Does.Contain("answered nothing"));
            Assert.That(async () => await hostile.CallToolAsync("echo"), Throws.Exception, "the host sees the connection closed");
            Assert.That(host.Guard.LoadOf("hostile"), Is.EqualTo(default(ServerLoad)), "with the process end its abandoned calls");
        });
        Assert.That(await CallAsync(quiet, "echo", "after"), Is.EqualTo("after"));
        await using McpClient again = await host.Guard.ConnectAsync("hostile");
        Assert.That(await CallAsync(again, "echo", "again"), Is.EqualTo("again"));
    }

    [Test]
    public async Task Hang_OpenCallsOfOthersOnTheConnection_FailWithADenialAndADecision()
    {
        await using var host = new Host(server => server
            .Command(Probe.Dotnet, Probe.Library, "hostile").WithoutIsolation().Root(_folder)
            .Allow("short", rule => rule.Tools("hang").Timeout(TimeSpan.FromMilliseconds(300)))
            .Allow("long", rule => rule.Tools("ignore", "pid").Timeout(TimeSpan.FromSeconds(15))));
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        await CallAsync(hostile, "pid");
        Task<string> hang = CallAsync(hostile, "hang", Path.Combine(_folder, "child"));
        Assert.That(await hang, Does.Contain("[timeout]"));

        // Sent after the server stopped reading, so it does not put the end off.
        string other = await CallAsync(hostile, "ignore");
        Assert.That(other, Does.Contain("[server-unavailable]"));
        Assert.That(host.Audit.OfKind(AuditKind.Outcome).Last(record => record.Target == "ignore").Reason, Does.Contain("the guard ended the connection"));
    }

    [Test]
    public async Task Work_ReportsProgressAfterTheCancellation_ProcessEnds()
    {
        await using var host = new Host(Short);
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        int server = int.Parse(await CallAsync(hostile, "pid"), CultureInfo.InvariantCulture);
        CallToolResult result = await hostile.CallToolAsync(
            "work", new Dictionary<string, object?>(), progress: new Progress<ModelContextProtocol.ProgressNotificationValue>());
        Assert.That(TextOf(result), Does.Contain("[timeout]"));
        Assert.That(await CallAsync(hostile, "echo", "own calls go on"), Is.EqualTo("own calls go on"));
        await UntilAsync(() => host.Ended is not null && Gone(server));
        Assert.That(host.Ended!.Reason, Does.Contain("progress"));
    }

    [Test]
    public async Task Drip_ResultThatNeverEnds_EndsAtTheDeadlineAndTheProcessAfterTheGrace()
    {
        await using var host = new Host(Short);
        await using McpClient quiet = await host.Guard.ConnectAsync("quiet");
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        int server = int.Parse(await CallAsync(hostile, "pid"), CultureInfo.InvariantCulture);
        Assert.That(await CallAsync(hostile, "drip"), Does.Contain("[timeout]"));
        Assert.That(await CallAsync(quiet, "echo", "meanwhile"), Is.EqualTo("meanwhile"));
        await UntilAsync(() => host.Ended is not null && Gone(server));
        Assert.That(host.Ended!.Reason, Does.Contain("answered nothing"));
    }

    [Test]
    public async Task Ignore_AnswersEverythingElse_IsVisibleAndEndsOnlyWhenEverySlotIsHeld()
    {
        await using var host = new Host(server => Short(server).With("maxConcurrentCalls", "8"));
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        int server = int.Parse(await CallAsync(hostile, "pid"), CultureInfo.InvariantCulture);
        Assert.That(await CallAsync(hostile, "ignore"), Does.Contain("[timeout]"));
        Assert.That(host.Guard.LoadOf("hostile"), Is.EqualTo(new ServerLoad(1, 0, 1)));
        await Task.Delay(TimeSpan.FromSeconds(6));
        Assert.That(host.Ended, Is.Null, "nothing shows that it does not obey");
        Assert.That(await CallAsync(hostile, "echo", "still here"), Is.EqualTo("still here"));

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 7).Select(_ => CallAsync(hostile, "ignore")));
        Assert.That(answers, Has.All.Contain("[timeout]"));
        await UntilAsync(() => host.Ended is not null && Gone(server));
        Assert.That(host.Ended!.Reason, Does.Contain("every slot"));
    }

    [Test]
    public async Task Late_ReplyAfterTheDeadline_IsDroppedRecordedAndFreesTheSlot()
    {
        await using var host = new Host(Short);
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        Assert.That(await CallAsync(hostile, "late", "1500"), Does.Contain("[timeout]"));
        Assert.That(host.Guard.LoadOf("hostile").Abandoned, Is.EqualTo(1));
        await UntilAsync(() => host.Guard.LoadOf("hostile") == default);
        AuditRecord intent = host.Audit.OfKind(AuditKind.Intent).Last(record => record.Target == "late");
        await UntilAsync(() => host.Audit.OfKind(AuditKind.ServerMessage).Any(record => record.Code == "LateReply" && record.DecisionId == intent.DecisionId));
        Assert.That(host.Ended, Is.Null);
    }

    [Test]
    public async Task Obey_OneCallTimesOut_ServerLivesOn()
    {
        await using var host = new Host(Short);
        await using McpClient hostile = await host.Guard.ConnectAsync("hostile");
        Assert.That(await CallAsync(hostile, "obey"), Does.Contain("[timeout]"));
        await Task.Delay(TimeSpan.FromSeconds(6));
        Assert.That(await CallAsync(hostile, "echo", "alive"), Is.EqualTo("alive"));
        Assert.That(host.Ended, Is.Null);
    }

    private static GuardServerBuilder Short(GuardServerBuilder server) => HostileHost.Configure(server).With("toolTimeout", "\"1s\"");

    private string Isolation(string mode) => mode == "none"
        ? """{"mode":"none"}"""
        : $$"""{"mode":"bubblewrap","readable":["{{AppContext.BaseDirectory.TrimEnd('/')}}"],"writable":["{{_folder}}"]}""";

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static async Task<string> CallAsync(McpClient client, string tool, string value = "") =>
        TextOf(await client.CallToolAsync(tool, new Dictionary<string, object?> { ["value"] = value }).AsTask().WaitAsync(Patience));

    private static bool Gone(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(waited.Elapsed, Is.LessThan(Patience), "the expected state did not come");
            await Task.Delay(20);
        }
    }

    private sealed class Host : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Host(Func<GuardServerBuilder, GuardServerBuilder> hostile)
        {
            var services = new ServiceCollection();
            services.AddMcpGuard(policy => policy
                    .StateDirectory(Path.Combine(Directory.CreateTempSubdirectory("mcp-guard-state-").FullName, "guard"))
                    .Server("hostile", server => hostile(server))
                    .Server("quiet", server => HostileHost.Configure(server)))
                .UseAudit(Audit).DenyInsteadOfAsking();
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public AuditCollector Audit { get; } = new();

        public IMcpGuard Guard { get; }

        /// <summary>The record of a server that the guard ended.</summary>
        public AuditRecord? Ended => Audit.OfKind(AuditKind.Connection).FirstOrDefault(record => record.Decision == "end");

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
