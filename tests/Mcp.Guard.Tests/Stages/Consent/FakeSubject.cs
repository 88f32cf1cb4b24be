using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A call to ask about.</summary>
internal sealed class FakeSubject : IConsentSubject
{
    public FakeSubject(string arguments = """{"path":"/srv/a"}""", string tool = "delete_file", string server = "files", string user = "ada", string session = "s1")
    {
        using JsonDocument document = JsonDocument.Parse(arguments);
        Arguments = document.RootElement.Clone();
        Target = tool;
        Server = new McpServerIdentity(server, "npx server");
        ServerKey = Server.ToString();
        Caller = new GuardCaller(user, session);
    }

    public string DecisionId { get; init; } = "d1";

    public McpServerIdentity Server { get; }

    public string ServerKey { get; }

    public GuardCaller Caller { get; init; }

    public string Method { get; init; } = "tools/call";

    public string Target { get; }

    public string Fingerprint { get; init; } = new('a', 64);

    public string CurrentFingerprint { get => field ?? Fingerprint; set; }

    public JsonElement Definition { get; init; }

    public JsonElement Arguments { get; }

    public string? ArgumentsDigest => Mcp.Guard.Json.ArgumentsDigest.TryCompute(Arguments, out string? digest) == JsonFault.None ? digest : null;

    public string PolicyRevision { get; init; } = "p1";

    public IReadOnlyList<string> Reasons { get; init; } = ["the tool counts as destructive"];

    public bool IsDestructive { get; init; } = true;

    public bool IsOpenWorld { get; init; } = true;

    public ToolDifferences Differences { get; init; } = ToolDifferences.None;

    /// <summary>What becomes of an agreement to a change.</summary>
    public Func<string?>? OnAgreement { get; init; }

    public ValueTask<string?> AgreeToChangeAsync(CancellationToken ct) => new(OnAgreement is null ? Fingerprint : OnAgreement());

    public ConsentScopes Permitted { get; init; } = ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never;
}
