using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Benchmarks.Audit;

/// <summary>A log in a folder of its own, and a record of the usual size.</summary>
internal sealed class AuditBenchmarkLog : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("mcp-guard-bench-").FullName;

    public AuditFileSink? Sink { get; private set; }

    public AuditRecord Record { get; } = new()
    {
        Kind = AuditKind.Intent,
        Time = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero),
        DecisionId = "01990000-0000-7000-8000-000000000001",
        UserId = "ada",
        SessionId = "session-1",
        Server = "files",
        Method = "tools/call",
        Target = "read_file",
        Fingerprint = "sha256:8c6f1d0a3b8c6f1d0a3b8c6f1d0a3b8c6f1d0a3b8c6f1d0a3b8c6f1d0a3b0000",
        Intent = "read the notes before the summary",
        Decision = "allow",
        Rule = "readers",
        PolicyRevision = "4f2a9d4f2a9d4f2a",
        Arguments = JsonDocument.Parse("""{"path":"/srv/project/notes.txt","limit":20,"encoding":"utf-8","head":10,"tail":10}""").RootElement.Clone(),
        ProtocolVersion = "2025-11-25",
    };

    public void Start(AuditDurability durability, bool keyed = false)
    {
        Sink = new AuditFileSink(
            new AuditFileOptions
            {
                Directory = Path.Combine(_root, "log"),
                Durability = durability,
                QueueCapacity = 1_000_000,
                WriteTimeout = TimeSpan.FromMinutes(1),
                ChainKey = keyed ? new byte[32] : default,
            },
            TimeProvider.System);
        Sink.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    public async Task WriteAsync(int writers, int each)
    {
        AuditFileSink sink = Sink!;
        AuditRecord record = Record;
        var tasks = new Task[writers];
        for (int i = 0; i < writers; i++)
        {
            tasks[i] = Task.Run(async () =>
            {
                for (int n = 0; n < each; n++)
                {
                    await sink.WriteAsync(record, CancellationToken.None);
                }
            });
        }

        await Task.WhenAll(tasks);
    }

    public void Dispose()
    {
        Sink?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(_root, recursive: true);
    }
}
