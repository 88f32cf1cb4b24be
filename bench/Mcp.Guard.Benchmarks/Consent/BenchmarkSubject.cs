using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Benchmarks.Consent;

/// <summary>A call; its digest is computed each time, as it is once for each call.</summary>
internal sealed class BenchmarkSubject(JsonElement arguments) : IConsentSubject
{
    public string DecisionId => "d1";

    public McpServerIdentity Server { get; } = new("files", "npx @modelcontextprotocol/server-filesystem /srv/project");

    public string ServerKey { get; } = "files (npx @modelcontextprotocol/server-filesystem /srv/project)";

    public GuardCaller Caller { get; } = new("ada@example.test", "01989a5e-7f00-7000-8000-000000000001");

    public string Method => "tools/call";

    public string Target => "delete_file";

    public string Fingerprint { get; } = new('a', 64);

    public string CurrentFingerprint => Fingerprint;

    public JsonElement Definition => default;

    public JsonElement Arguments => arguments;

    public string? ArgumentsDigest => Json.ArgumentsDigest.TryCompute(arguments, out string? digest) == JsonFault.None ? digest : null;

    public string PolicyRevision { get; } = new('b', 64);

    public IReadOnlyList<string> Reasons { get; } = ["the tool counts as destructive"];

    public bool IsDestructive => true;

    public bool IsOpenWorld => true;

    public ToolDifferences Differences => ToolDifferences.None;

    public ValueTask<string?> AgreeToChangeAsync(CancellationToken ct) => new(Fingerprint);

    public ConsentScopes Permitted => ConsentScopes.Tool;
}
