using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>Ends a writing process at random moments, as <c>kill -9</c> does, and looks at what it leaves. 500 times where MCP_GUARD_LONG=1.</summary>
[TestFixture]
internal sealed class AuditCrashTests
{
    private const int KillsInOneFolder = 10;

    [TestCase(AuditDurability.Flushed)]
    [TestCase(AuditDurability.Durable)]
    public async Task Kill_AtRandomMomentsUnderLoad_ChainVerifiesAndEveryCallThatRanHasItsIntent(AuditDurability durability)
    {
        int kills = string.Equals(Environment.GetEnvironmentVariable("MCP_GUARD_LONG"), "1", StringComparison.Ordinal) ? 250 : 4;
        var random = new Random(20261122 + (int)durability);
        int torn = 0;
        for (int done = 0; done < kills;)
        {
            using var folder = new AuditFolder();
            var ran = new List<string>();
            for (int i = 0; i < KillsInOneFolder && done < kills; i++, done++)
            {
                ran.AddRange(await RunAndKillAsync(folder.Log, durability, done, afterCalls: random.Next(1, 1_500)));
                AuditVerdict left = AuditVerifier.Verify(folder.Log).Verdict;
                Assert.That(left, Is.EqualTo(AuditVerdict.Valid).Or.EqualTo(AuditVerdict.Torn), $"after kill {done}");
                torn += left == AuditVerdict.Torn ? 1 : 0;
            }

            await CheckAsync(folder, ran);
        }

        TestContext.Out.WriteLine($"{kills} kills, {torn} torn tails");
    }

    private static async Task CheckAsync(AuditFolder folder, List<string> ran)
    {
        AuditFileOptions options = folder.Options();
        await using (var sink = new AuditFileSink(options, TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
        }

        AuditVerification verification = AuditVerifier.Verify(folder.Log);
        var intents = new HashSet<string>(StringComparer.Ordinal);
        var closed = new HashSet<string>(StringComparer.Ordinal);
        await foreach (AuditEntry entry in new AuditFileReader(folder.Log).ReadAsync(new AuditQuery()))
        {
            string id = entry.ToRecord().DecisionId;
            if (entry.Kind == AuditKind.Intent)
            {
                Assert.That(intents.Add(id), Is.True, $"{id} is recorded twice");
            }
            else if (id.Length > 0)
            {
                Assert.That(closed.Add(id), Is.True, $"{id} ends twice");
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(verification.Verdict, Is.EqualTo(AuditVerdict.Valid), verification.Message);
            Assert.That(ran, Is.Not.Empty);
            Assert.That(ran.Where(id => !intents.Contains(id)), Is.Empty, "calls that ran without an intent in the log");
            Assert.That(intents.Where(id => !closed.Contains(id)), Is.Empty, "intents with neither an outcome nor a record that they are open");
        });
    }

    private static async Task<List<string>> RunAndKillAsync(string directory, AuditDurability durability, int number, int afterCalls)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.AuditCrash.dll"));
        start.ArgumentList.Add(directory);
        start.ArgumentList.Add(durability.ToString());
        start.ArgumentList.Add(string.Create(CultureInfo.InvariantCulture, $"k{number}"));
        using Process process = Process.Start(start)!;
        var ran = new List<string>();
        Assert.That(await process.StandardOutput.ReadLineAsync(), Is.EqualTo("READY"));
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            ran.Add(line["RAN ".Length..]);
            if (ran.Count == afterCalls)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync();
        return ran;
    }
}
