using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>A folder for one log, removed at the end of the test.</summary>
internal sealed class AuditFolder : IDisposable
{
    public AuditFolder()
    {
        Root = Directory.CreateTempSubdirectory("mcp-guard-audit-").FullName;
        Log = Path.Combine(Root, "log");
    }

    public string Root { get; }

    public string Log { get; }

    public AuditFileOptions Options() => new() { Directory = Log };

    public string[] Segments() => [.. AuditSegments.Ordered([.. Directory.GetFiles(Log).Select(path => Path.GetFileName(path))]).Select(name => Path.Combine(Log, name))];

    public List<JsonElement> Records()
    {
        var records = new List<JsonElement>();
        foreach (string path in Segments())
        {
            foreach (string line in File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                records.Add(JsonDocument.Parse(line).RootElement.Clone());
            }
        }

        return records;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
