using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Audit;
using Mcp.Guard.Testing;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Audit;

/// <summary>Ways around the audit that were tried: forks of the chain, broken lines, foreign files, secrets in fields that nobody redacts.</summary>
[TestFixture]
internal sealed class AuditHostileTests
{
    private const string Secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

    // ---- lines ------------------------------------------------------------------------------------------------------------------------------

    [TestCase("""{"a":1,/* } */"b":[1,2,],}""")]
    [TestCase("[1,2,//x\n3]")]
    [TestCase("""{"a":{"b":1,},}""")]
    public async Task Write_ValueOfALenientParser_LineIsStillJsonAndTheLogVerifies(string text)
    {
        JsonElement lenient = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }).RootElement;
        using var folder = new AuditFolder();
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(new AuditRecord { Kind = AuditKind.Intent, Time = AuditSamples.Noon, DecisionId = "a", Arguments = lenient, Result = lenient }, CancellationToken.None);
        }

        AuditVerification found = AuditVerifier.Verify(folder.Log);
        Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
        JsonElement record = folder.Records().Single(static line => line.TryGetProperty("id", out _));
        Assert.That(record.GetProperty("notes").GetProperty("arguments").GetProperty("reason").GetString(), Is.EqualTo("not JSON"));
    }

    // ---- one chain --------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Start_SecondSinkAfterTheLockFileWasRemoved_IsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows does not let an open lock file be removed");
        }

        using var folder = new AuditFolder();
        await using var first = new AuditFileSink(folder.Options(), TimeProvider.System);
        await first.StartAsync(CancellationToken.None);
        File.Delete(Path.Combine(folder.Log, DiskAuditStorage.LockName));
        await using (var second = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            Assert.That(async () => await second.StartAsync(CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>().With.Message.Contains("in use"));
        }

        await first.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None);
        Assert.That(AuditVerifier.Verify(folder.Log).Verdict, Is.EqualTo(AuditVerdict.Valid));
    }

    [Test]
    public async Task Start_SecondProcessWithTheRuntimesFileLocksSwitchedOff_IsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("the switch is one of Unix");
        }

        using var folder = new AuditFolder();
        await using var first = new AuditFileSink(folder.Options(), TimeProvider.System);
        await first.StartAsync(CancellationToken.None);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.AuditCrash.dll"), folder.Log, "Flushed", "x"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        using Process second = Process.Start(start)!;
        string? said = await second.StandardOutput.ReadLineAsync();
        second.Kill();
        await second.WaitForExitAsync();
        Assert.That(said, Is.Null, "it wrote into a chain that another process writes");
    }

    [Test]
    public async Task Write_NoNumberLeftForASegment_IsRefusedInsteadOfWritingAFileThatNobodyFinds()
    {
        var storage = new MemoryAuditStorage();
        var options = new AuditFileOptions { Directory = "/log" };
        await using (var sink = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
        }

        // A foreign file under the last name there is: whoever puts it there must not make the log begin anew beside itself.
        storage.Files["/log/audit-99999999-20261122.jsonl"] = "not a segment\n"u8.ToArray();
        await using var next = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon));
        Assert.That(async () => await next.StartAsync(CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>().With.Message.Contains("99999999"));
        Assert.That(storage.Files.Keys, Has.None.Contains("audit-100000000"));
        Assert.That(async () => await next.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
    }

    // ---- foreign files ----------------------------------------------------------------------------------------------------------------------

    [TestCase(DiskAuditStorage.LockName)]
    [TestCase(AuditLog.DigestKeyName)]
    [TestCase("audit-00000001-20261122.jsonl")]
    public async Task Start_LinkInTheFolder_IsNotFollowed(string name)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("links need rights on Windows");
        }

        using var folder = new AuditFolder();
        Directory.CreateDirectory(folder.Log);
        string target = Path.Combine(folder.Root, "target");
        File.WriteAllText(target, "as it was");
        File.CreateSymbolicLink(Path.Combine(folder.Log, name), target);
        await using var sink = new AuditFileSink(folder.Options(), TimeProvider.System);
        Assert.That(async () => await sink.StartAsync(CancellationToken.None), Throws.Exception.With.Message.Contains("a link"));
        Assert.That(async () => await sink.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
        Assert.That(File.ReadAllText(target), Is.EqualTo("as it was"));
    }

    [Test]
    public async Task Start_FolderThatEveryUserMayWrite_IsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes");
            return;
        }

        using var folder = new AuditFolder();
        Directory.CreateDirectory(folder.Log);
        File.SetUnixFileMode(folder.Log, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        await using var sink = new AuditFileSink(folder.Options(), TimeProvider.System);
        Assert.That(async () => await sink.StartAsync(CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>().With.Message.Contains("chmod"));
    }

    // ---- secrets ----------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Records_CredentialInIntentCallerTargetOrReason_IsNeverOnRecord()
    {
        var server = new RawServer();
        await using var guard = new AuditFixture(settings =>
        {
            GuardFixture.AllowAll("echo")(settings);
            settings.Ask("asks", "other");
            settings.Root(Path.GetDirectoryName(Environment.ProcessPath!)!);
        });
        await using (McpClient client = await guard.ConnectAsync(server))
        {
            await client.ListToolsAsync();
            using IDisposable scope = guard.Host.BeginScope(new GuardCaller($"user {Secret}", $"Bearer {Secret}") { Intent = $"because the token is {Secret}" });
            await client.CallToolAsync("echo");
            await client.CallToolAsync("other");
            await client.CallToolAsync(Secret);
            await client.CallToolAsync("echo", new Dictionary<string, object?> { [$"path {Secret}"] = "/etc/passwd" });
            foreach (string uri in (string[])[$"https://example.org/?access_token={Secret}", $"file:///tmp/{Secret}"])
            {
                try
                {
                    await client.ReadResourceAsync(uri);
                }
                catch (Exception refused) when (refused is not AssertionException)
                {
                    // Refused or not: what counts is what is on record of it.
                }
            }
        }

        await guard.CloseAsync();
        List<AuditEntry> entries = await guard.ReadAsync();
        string text = string.Concat(Directory.GetFiles(guard.Log, "audit-*.jsonl").Select(File.ReadAllText));
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Not.Contain(Secret));
            Assert.That(entries.Select(static entry => entry.ToRecord().Intent ?? string.Empty), Has.Some.Contains("because the token is [redacted"));
            Assert.That(entries.Select(static entry => entry.ToRecord().UserId ?? string.Empty), Has.Some.StartsWith("user [redacted"));
            Assert.That(entries.Select(static entry => entry.ToRecord().Target ?? string.Empty), Has.Some.Contains("example.org").And.Some.Contains("echo"));
        });
    }

    [Test]
    public async Task Records_ServersOwnWords_AreRedactedWhereTheyBecomeAReason()
    {
        var server = new RawServer();
        server.Tools.Add((JsonNode)RawServer.Tool("fine", $$"""{"type":"object","$ref":"https://x.example/?token={{Secret}}"}"""));
        await using var guard = new AuditFixture();
        await using (McpClient client = await guard.ConnectAsync(server))
        {
            await client.ListToolsAsync();
            await client.CallToolAsync("fine");
        }

        await guard.CloseAsync();
        Assert.That(string.Concat(Directory.GetFiles(guard.Log, "audit-*.jsonl").Select(File.ReadAllText)), Does.Not.Contain(Secret));
    }

    [Test]
    public async Task Records_LongIntentWithACredentialAtTheCut_HoldsNoPartOfIt()
    {
        var server = new RawServer();
        await using var guard = new AuditFixture();
        await using (McpClient client = await guard.ConnectAsync(server))
        {
            await client.ListToolsAsync();
            foreach (int before in (int[])[2_020, 2_030, 2_040])
            {
                using IDisposable scope = guard.Host.BeginScope(new GuardCaller("ada", "s") { Intent = new string('x', before) + " " + Secret });
                await client.CallToolAsync("echo");
            }
        }

        await guard.CloseAsync();
        Assert.That(string.Concat(Directory.GetFiles(guard.Log, "audit-*.jsonl").Select(File.ReadAllText)), Does.Not.Contain(Secret[..8]));
    }
}
