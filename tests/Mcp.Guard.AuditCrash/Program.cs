using System.Globalization;
using System.Text;
using Mcp.Guard;
using Mcp.Guard.Audit;

// Writes an audit log under load until it is killed. A line "RAN id" on standard output stands for a call that left: it is written only after its intent
// was acknowledged. Arguments: folder, durability, a prefix for the ids.
var options = new AuditFileOptions
{
    Directory = args[0],
    Durability = Enum.Parse<AuditDurability>(args[1]),
    SegmentBytes = 64 * 1024,
};
string prefix = args[2];
var sink = new AuditFileSink(options, TimeProvider.System);
await sink.StartAsync(CancellationToken.None);

using Stream output = Console.OpenStandardOutput();
var gate = new Lock();
Say("READY");
await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() => WriteForeverAsync(writer))));

async Task WriteForeverAsync(int writer)
{
    for (int i = 0; ; i++)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{writer}-{i}");
        await sink.WriteAsync(Record(AuditKind.Intent, id), CancellationToken.None);
        Say("RAN " + id);
        await sink.WriteAsync(Record(AuditKind.Outcome, id), CancellationToken.None);
    }
}

static AuditRecord Record(AuditKind kind, string id) => new()
{
    Kind = kind,
    Time = TimeProvider.System.GetUtcNow(),
    DecisionId = id,
    UserId = "ada",
    SessionId = "session-1",
    Server = "files",
    Method = "tools/call",
    Target = "write_file",
    Reason = "a text long enough to make a record of the usual length, which is several hundred bytes",
};

void Say(string line)
{
    // One write for a line: it arrives whole or not at all.
    byte[] bytes = Encoding.ASCII.GetBytes(line + "\n");
    lock (gate)
    {
        output.Write(bytes);
    }
}
