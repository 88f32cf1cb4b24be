namespace GuardedHost;

/// <summary>The folders of one run: a project that the server may touch, a secret beside it, and the guard's own folders elsewhere.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly string _base = Directory.CreateTempSubdirectory("mcp-guard-sample-").FullName;

    public Workplace(string? auditDirectory)
    {
        Project = Directory.CreateDirectory(Path.Combine(_base, "project")).FullName;
        AuditDirectory = auditDirectory ?? Path.Combine(Directory.CreateTempSubdirectory("mcp-guard-audit-").FullName, "audit");
        StateDirectory = Path.Combine(_base, "guard-state");
        Secret = Path.Combine(_base, "secret.txt");
        File.WriteAllText(Path.Combine(Project, "notes.txt"), "buy milk\n");
        File.WriteAllText(Secret, "the combination is 1-2-3-4\n");
    }

    public string Project { get; }

    public string AuditDirectory { get; }

    public string StateDirectory { get; }

    public string Secret { get; }

    public void Dispose() => Directory.Delete(_base, recursive: true);
}
