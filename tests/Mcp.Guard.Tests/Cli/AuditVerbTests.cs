using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Tests.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Cli;

/// <summary><c>mcp-guard audit verify|show|export</c> over real folders, sound, damaged and foreign.</summary>
[TestFixture]
internal sealed class AuditVerbTests
{
    private const string KeyName = "MCP_GUARD_TEST_AUDIT_KEY";

    private static Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync([AuditCommand.Create()], ["audit", .. arguments]);

    private static async Task<AuditFolder> LogAsync(Action<AuditFileOptions>? configure = null, params AuditRecord[] records)
    {
        var folder = new AuditFolder();
        AuditFileOptions options = folder.Options();
        configure?.Invoke(options);
        await using var sink = new AuditFileSink(options, new FakeTimeProvider(AuditSamples.Noon));
        await sink.StartAsync(CancellationToken.None);
        foreach (AuditRecord record in records)
        {
            await sink.WriteAsync(record, CancellationToken.None);
        }

        return folder;
    }

    private static Task<AuditFolder> SampleAsync() => LogAsync(
        null,
        AuditSamples.Intent(AuditSamples.Id(1)),
        AuditSamples.Outcome(AuditSamples.Id(1)),
        AuditSamples.Denial(AuditSamples.Id(2)),
        new AuditRecord { Kind = AuditKind.Consent, Time = AuditSamples.Noon.AddHours(1), DecisionId = AuditSamples.Id(3), UserId = "bob", SessionId = "s2", Server = "web", Target = "fetch", Decision = "deny" });

    private static void Replace(string path, string old, string changed)
    {
        string text = File.ReadAllText(path);
        Assert.That(text, Does.Contain(old));
        File.WriteAllText(path, text.Replace(old, changed, StringComparison.Ordinal));
    }

    private static JsonElement Json(CommandRun run) => JsonDocument.Parse(run.Output).RootElement;

    private static string[] Lines(CommandRun run) => run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    // ---- verify -----------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Verify_SoundLog_Exit0AndSaysWhatIsNotProved()
    {
        using AuditFolder folder = await SampleAsync();
        CommandRun run = await RunAsync("verify", folder.Log);
        CommandRun json = await RunAsync("verify", folder.Log, "--json");
        Assert.Multiple(() =>
        {
            Assert.That((run.ExitCode, json.ExitCode), Is.EqualTo((0, 0)), run.Error);
            Assert.That(run.Output, Does.StartWith("valid: every record is in order").And.Contain("7 records, 1 to 7, in 1 segment").And.Contain("Without --checkpoints the end is not proved"));
            Assert.That(Json(json).GetProperty("verdict").GetString(), Is.EqualTo("valid"));
            Assert.That(Json(json).GetProperty("records").GetInt64(), Is.EqualTo(7));
            Assert.That(Json(json).TryGetProperty("firstBad", out _), Is.False);
        });
    }

    [Test]
    public async Task Verify_ChangedRecord_Exit1AndNamesFileLineAndSequence()
    {
        using AuditFolder folder = await SampleAsync();
        Replace(folder.Segments()[0], "no-moves\",\"reason", "no-movez\",\"reason");
        CommandRun run = await RunAsync("verify", folder.Log);
        JsonElement json = Json(await RunAsync("verify", folder.Log, "--json"));
        JsonElement bad = json.GetProperty("firstBad");
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(1));
            Assert.That(run.Output, Does.StartWith("tampered: ").And.Contain("line 5, byte ").And.Contain("where record 5 belongs").And.Contain("Copy the whole folder"));
            Assert.That(json.GetProperty("verdict").GetString(), Is.EqualTo("tampered"));
            Assert.That(bad.GetProperty("file").GetString(), Is.EqualTo(Path.GetFileName(folder.Segments()[0])));
            Assert.That((bad.GetProperty("line").GetInt64(), bad.GetProperty("sequence").GetInt64()), Is.EqualTo((5L, 5L)));
        });
    }

    [Test]
    public async Task Verify_TornTail_Exit1AndIsNotCalledTampered()
    {
        using AuditFolder folder = await SampleAsync();
        string segment = folder.Segments()[0];
        File.AppendAllText(segment, "{\"seq\":8,\"time\":\"2026");
        CommandRun run = await RunAsync("verify", folder.Log);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Output, Does.StartWith("torn: ").And.Contain("line 8").And.Contain("a crash in the middle of a write"));
    }

    [Test]
    public async Task Verify_TailCutOff_IsFoundByTheCheckpointOnly()
    {
        string root = Directory.CreateTempSubdirectory("mcp-guard-audit-").FullName;
        string checkpoint = Path.Combine(root, "elsewhere.checkpoint");
        using AuditFolder folder = await LogAsync(options => options.CheckpointPath = checkpoint, AuditSamples.Intent("a"), AuditSamples.Outcome("a"));
        string segment = folder.Segments()[0];
        CommandRun before = await RunAsync("verify", folder.Log, "--checkpoints", checkpoint);
        string[] lines = File.ReadAllLines(segment);
        File.WriteAllText(segment, string.Join('\n', lines[..^1]) + "\n");
        CommandRun without = await RunAsync("verify", folder.Log);
        CommandRun with = await RunAsync("verify", folder.Log, "--checkpoints", checkpoint);
        Directory.Delete(root, recursive: true);
        Assert.Multiple(() =>
        {
            Assert.That(before.ExitCode, Is.Zero, before.Output);
            Assert.That(before.Output, Does.Contain("checkpoint  matches"));
            Assert.That(without.ExitCode, Is.Zero, "which is why the verb says so");
            Assert.That(with.ExitCode, Is.EqualTo(1));
            Assert.That(with.Output, Does.Contain("it was cut or rolled back"));
        });
    }

    [Test]
    public async Task Verify_Key_IsTakenFromTheEnvironmentAndNeverPrinted()
    {
        byte[] key = RandomNumberGenerator.GetBytes(32);
        string text = Convert.ToBase64String(key);
        using AuditFolder folder = await LogAsync(options => options.ChainKey = key, AuditSamples.Intent("a"));
        var environment = new Dictionary<string, string> { [KeyName] = text };
        CommandRun with = await GuardProcess.RunAsync(["audit", "verify", folder.Log, "--key-secret", KeyName], environment);
        CommandRun wrong = await GuardProcess.RunAsync(["audit", "verify", folder.Log, "--key-secret", KeyName], new Dictionary<string, string> { [KeyName] = Convert.ToBase64String(new byte[32]) });
        CommandRun without = await RunAsync("verify", folder.Log);
        CommandRun absent = await RunAsync("verify", folder.Log, "--key-secret", "MCP_GUARD_NO_SUCH_VARIABLE");
        CommandRun noKey = await GuardProcess.RunAsync(["audit", "verify", folder.Log, "--key-secret", KeyName], new Dictionary<string, string> { [KeyName] = "c2hvcnQ=" });
        Assert.Multiple(() =>
        {
            Assert.That(with.ExitCode, Is.Zero, with.Output + with.Error);
            Assert.That(wrong.ExitCode, Is.EqualTo(2), "the key that was given is not the log's");
            Assert.That(without.ExitCode, Is.EqualTo(2));
            Assert.That(without.Output, Does.StartWith("unverifiable: ").And.Contain("--key-secret NAME"));
            Assert.That((absent.ExitCode, noKey.ExitCode), Is.EqualTo((2, 2)));
            Assert.That(absent.Error, Does.Contain("MCP_GUARD_NO_SUCH_VARIABLE"));
            Assert.That(with.Output + with.Error + noKey.Output + noKey.Error, Does.Not.Contain(text).And.Not.Contain("c2hvcnQ"));
        });
    }

    [TestCase("verify")]
    [TestCase("show")]
    [TestCase("export")]
    public async Task AnyVerb_MissingFolderFileOrEmptyFolder_OneMessageAndExit2(string verb)
    {
        using var folder = new AuditFolder();
        string empty = Directory.CreateDirectory(Path.Combine(folder.Root, "empty")).FullName;
        string file = Path.Combine(folder.Root, "file");
        File.WriteAllText(file, "x");
        foreach (string path in (string[])[folder.Log, file, empty])
        {
            CommandRun run = await RunAsync(verb, path);
            CommandRun json = await RunAsync(verb, path, "--json");
            Assert.Multiple(() =>
            {
                Assert.That((run.ExitCode, json.ExitCode), Is.EqualTo((2, 2)), path);
                Assert.That(run.Error + run.Output, Does.Contain("audit.directory").And.Not.Contain("   at "), path);
                Assert.That(() => Json(json), Throws.Nothing, path);
            });
        }
    }

    [Test]
    public async Task Verify_ForeignFilesInTheFolder_AreNoPartOfTheLog()
    {
        using AuditFolder folder = await SampleAsync();
        File.WriteAllText(Path.Combine(folder.Log, "notes.txt"), "nothing");
        File.WriteAllText(Path.Combine(folder.Log, "audit-1-20261124.jsonl"), "not a name of the log");
        Directory.CreateDirectory(Path.Combine(folder.Log, "audit-00000009-20261124.jsonl"));
        CommandRun run = await RunAsync("verify", folder.Log);
        Assert.That(run.ExitCode, Is.Zero, run.Output);
    }

    [Test]
    public async Task AnyVerb_SegmentThatIsALinkOrAPipe_IsRefusedAndNotFollowed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("links and pipes of Unix");
        }

        using AuditFolder folder = await SampleAsync();
        string secret = Path.Combine(folder.Root, "secret");
        File.WriteAllText(secret, "root:x:0:0\n");
        string name = Path.Combine(folder.Log, "audit-00000002-20991231.jsonl");
        foreach (Action make in (Action[])[() => File.CreateSymbolicLink(name, secret), () => Assert.That(MakePipe(name, 0x180), Is.Zero)])
        {
            make();
            foreach (string verb in (string[])["verify", "show", "export"])
            {
                CommandRun run = await RunAsync(verb, folder.Log).WaitAsync(TimeSpan.FromSeconds(60));
                Assert.Multiple(() =>
                {
                    Assert.That(run.ExitCode, Is.EqualTo(2), verb + run.Output);
                    Assert.That(run.Output + run.Error, Does.Not.Contain("root:x").And.Not.Contain("   at "), verb);
                });
            }

            File.Delete(name);
        }
    }

    [Test]
    public async Task AnyVerb_UnreadableSegment_OneMessageAndExit2()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes");
            return;
        }

        if (string.Equals(Environment.UserName, "root", StringComparison.Ordinal))
        {
            Assert.Ignore("root reads every file");
        }

        using AuditFolder folder = await SampleAsync();
        File.SetUnixFileMode(folder.Segments()[0], UnixFileMode.None);
        foreach (string verb in (string[])["verify", "show", "export"])
        {
            CommandRun run = await RunAsync(verb, folder.Log);
            Assert.That(run.ExitCode, Is.EqualTo(2), verb);
        }
    }

    // ---- show -------------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Show_HostileRecords_80ColumnsPrintableAsciiNoColour()
    {
        string hostile = "evil\u001b[31m\u202e\r\n\u0000" + new string('x', 3_000) + "日本";
        AuditRecord record = new()
        {
            Kind = AuditKind.Denial,
            Time = AuditSamples.Noon,
            DecisionId = AuditSamples.Id(1),
            UserId = hostile,
            SessionId = hostile,
            Server = hostile,
            Method = hostile,
            Target = hostile,
            Fingerprint = hostile,
            Intent = hostile,
            Decision = hostile,
            Code = hostile,
            Stage = hostile,
            Rule = hostile,
            Reason = hostile,
            AnsweredBy = hostile,
            TraceId = hostile,
            Changes = [hostile],
            ArgumentsDigest = "hmac-sha256:00",
            Arguments = JsonDocument.Parse("""{"\u001b[2J":"\u202e"}""").RootElement,
        };
        using AuditFolder folder = await LogAsync(null, record, AuditSamples.Intent(AuditSamples.Id(2)));
        CommandRun run = await GuardProcess.RunAsync(["audit", "show", folder.Log, "--details"]);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            Assert.That(run.Output.Where(static c => c is not '\n' and (< ' ' or > '~')), Is.Empty);
            Assert.That(Lines(run).Select(static line => line.Length), Has.All.LessThanOrEqualTo(80));
            Assert.That(Lines(run)[0], Does.StartWith("    SEQ TIME (UTC)"));
            Assert.That(run.Output, Does.Contain("\\u001b").And.Contain("reason").And.Not.Contain("hmac-sha256"));
        });
    }

    [TestCase(80)]
    [TestCase(120)]
    public async Task Show_OnATerminal_ColoursAreTheOnlyEscapes(int width)
    {
        using AuditFolder folder = await LogAsync(null, AuditSamples.Denial("\u001b[31m"));
        CommandRun run = await CommandRun.OfAsync([AuditCommand.Create()], ["audit", "show", folder.Log], isTerminal: true, colours: true, width: width);
        Assert.That(run.Output, Does.Contain("rule-denied"));
        string[] plain = [.. Lines(run).Select(static line => System.Text.RegularExpressions.Regex.Replace(line, "\u001b\\[[0-9;]*m", string.Empty, System.Text.RegularExpressions.RegexOptions.NonBacktracking))];
        Assert.That(plain, Has.None.Contains("\u001b"));
        Assert.That(plain.Select(static line => line.Length), Has.All.LessThanOrEqualTo(width));
    }

    [TestCase(new[] { "--server", "web" }, new[] { 6 })]
    [TestCase(new[] { "--tool", "read_file" }, new[] { 3, 4 })]
    [TestCase(new[] { "--tool", "*_file" }, new[] { 3, 4, 5 })]
    [TestCase(new[] { "--session", "s2" }, new[] { 6 })]
    [TestCase(new[] { "--caller", "ada" }, new[] { 3, 4, 5 })]
    [TestCase(new[] { "--denied" }, new[] { 5, 6 })]
    [TestCase(new[] { "--id", "01990000-0000-7000-8000-000000000001" }, new[] { 3, 4 })]
    [TestCase(new[] { "--since", "2026-11-22T12:30", "--until", "2026-11-22T13:30:00Z" }, new[] { 6 })]
    [TestCase(new[] { "--until", "2026-11-22T13:00:00+00:30" }, new[] { 1, 2, 3, 4, 5, 7 })]
    [TestCase(new[] { "--caller", "ada", "--limit", "2" }, new[] { 3, 4 })]
    [TestCase(new[] { "--server", "none" }, new int[0])]
    public async Task ShowAndExport_Filter_SelectTheSameRecords(string[] filter, int[] expected)
    {
        using AuditFolder folder = await SampleAsync();
        CommandRun show = await RunAsync(["show", folder.Log, "--json", .. filter]);
        Assert.That(Lines(show).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("seq").GetInt32()), Is.EqualTo(expected), show.Error);
        if (!filter.Contains("--limit"))
        {
            CommandRun export = await RunAsync(["export", folder.Log, .. filter]);
            Assert.That(export.Output, Is.EqualTo(show.Output));
        }
    }

    [TestCase("yesterday")]
    [TestCase("2026-13-01")]
    [TestCase("-5m")]
    [TestCase("5w")]
    [TestCase("99999999999999999999d")]
    [TestCase("")]
    public async Task Show_UnreadableTime_Exit2AndNamesTheForms(string text)
    {
        using AuditFolder folder = await SampleAsync();
        CommandRun run = await RunAsync("show", folder.Log, "--since", text);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("15m").Or.Contain("--since"));
    }

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("many")]
    public async Task Show_UnusableLimit_Exit2(string text)
    {
        using AuditFolder folder = await SampleAsync();
        Assert.That((await RunAsync("show", folder.Log, "--limit", text)).ExitCode, Is.EqualTo(2));
    }

    [Test]
    public async Task Show_NothingSelected_SaysSo()
    {
        using AuditFolder folder = await SampleAsync();
        CommandRun run = await RunAsync("show", folder.Log, "--server", "none");
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, "no record is selected\n")));
    }

    [Test]
    public async Task Show_DamagedSegment_ShowsTheRestAndWarns()
    {
        using AuditFolder folder = await SampleAsync();
        string segment = folder.Segments()[0];
        string[] lines = File.ReadAllLines(segment);
        lines[2] = "garbage \u001b[2J";
        File.WriteAllText(segment, string.Join('\n', lines) + "\n");
        CommandRun run = await RunAsync("show", folder.Log);
        Assert.That(run.ExitCode, Is.Zero);
        Assert.That(run.Error, Does.Contain("1 lines of the log are no records").And.Contain("audit verify"));
        Assert.That(run.Output, Does.Contain("rule-denied").And.Not.Contain("garbage"));
    }

    /// <summary>Whether this process ignores interrupts, as one does that a shell started in the background: its children inherit it.</summary>
    private static bool IgnoresInterrupts() =>
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && (ulong.Parse(line.AsSpan("SigIgn:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 0b10) != 0;

    [Test]
    public async Task Show_Follow_ShowsWhatIsWrittenThroughSegmentsAndEndsOnAnInterrupt()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("interrupts by signal");
        }

        using var folder = new AuditFolder();
        AuditFileOptions options = folder.Options();
        options.SegmentBytes = 64 * 1024;
        await using var sink = new AuditFileSink(options, TimeProvider.System);
        await sink.StartAsync(CancellationToken.None);
        using GuardProcess process = GuardProcess.Start(["audit", "show", folder.Log, "--follow", "--json", "--caller", "ada"]);
        for (int i = 0; i < 400; i++)
        {
            await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(i)), CancellationToken.None);
        }

        Assert.That(folder.Segments(), Has.Length.GreaterThan(2));
        await Eventually.True(() => Count(process) == 400, TimeSpan.FromMinutes(1));
        await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(400)), CancellationToken.None);
        await Eventually.True(() => Count(process) == 401, TimeSpan.FromMinutes(1));
        Assert.That(SendSignal(process.Id, IgnoresInterrupts() ? 15 : 2), Is.Zero);
        CommandRun run = await process.EndAsync();
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.Zero);
            Assert.That(run.Error, Is.Empty);
            Assert.That(
                Lines(run).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()),
                Is.EqualTo(Enumerable.Range(0, 401).Select(AuditSamples.Id)), "each once, in order");
        });

        static int Count(GuardProcess running) => running.Output.Count(static c => c == '\n');
    }

    // ---- export -----------------------------------------------------------------------------------------------------------------------------

    [TestCase("jsonl")]
    [TestCase("ocsf")]
    public async Task Export_ToAFile_HasNoKeyedDigestAndIsItsOwnersOnly(string format)
    {
        AuditRecord record = new() { Kind = AuditKind.Intent, Time = AuditSamples.Noon, DecisionId = "a", ArgumentsDigest = "hmac-sha256:00ff", Intent = new string('i', 3_000) };
        using AuditFolder folder = await LogAsync(null, record);
        string file = Path.Combine(folder.Root, "out.jsonl");
        CommandRun run = await GuardProcess.RunAsync(["audit", "export", folder.Log, "--format", format, "-o", file, "--json"]);
        string text = File.ReadAllText(file);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            Assert.That(Json(run).GetProperty("records").GetInt64(), Is.EqualTo(4));
            Assert.That(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(4));
            Assert.That(text, Does.Not.Contain("hmac-sha256").And.Not.Contain("\"prev\"").And.Not.Contain("\"hash\""));
            if (!OperatingSystem.IsWindows())
            {
                Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            }
        });
    }

    [Test]
    public async Task Export_NamesThatLookLikeADigest_DoNotVanish()
    {
        AuditRecord record = new() { Kind = AuditKind.Denial, Time = AuditSamples.Noon, DecisionId = "a", UserId = "hmac-sha256:user", Target = "hmac-sha256:tool", Reason = "hmac-sha256:why", ResultDigest = "hmac-sha256:00ff" };
        using AuditFolder folder = await LogAsync(null, record);
        CommandRun run = await RunAsync("export", folder.Log, "--denied");
        Assert.That(run.Output, Does.Contain("hmac-sha256:user").And.Contain("hmac-sha256:tool").And.Contain("hmac-sha256:why").And.Not.Contain("00ff"));
    }

    [Test]
    public async Task Export_UnknownFormatOrFolderAsFile_Exit2()
    {
        using AuditFolder folder = await SampleAsync();
        CommandRun format = await RunAsync("export", folder.Log, "--format", "xml");
        CommandRun target = await RunAsync("export", folder.Log, "-o", folder.Root);
        Assert.That((format.ExitCode, target.ExitCode), Is.EqualTo((2, 2)));
        Assert.That(format.Error, Does.Contain("ocsf"));
    }

    /// <summary>The file is emptied when it is opened: the log would be gone before it is read.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task Export_OntoASegmentOfTheLog_Exit2AndTheLogIsWhole(bool throughALink)
    {
        using AuditFolder folder = await SampleAsync();
        string segment = folder.Segments()[0];
        string before = File.ReadAllText(segment);
        string file = throughALink ? Path.Combine(folder.Root, "out.jsonl") : segment;
        if (throughALink)
        {
            File.CreateSymbolicLink(file, segment);
        }

        CommandRun run = await RunAsync("export", folder.Log, "-o", file);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
            Assert.That(run.Error, Does.Contain("folder of a log"));
            Assert.That(File.ReadAllText(segment), Is.EqualTo(before));
        });
    }

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
