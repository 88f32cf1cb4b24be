using Mcp.Guard.Audit;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Audit;

/// <summary>Which records a verb looks at.</summary>
/// <param name="Query">What the reader selects by itself.</param>
/// <param name="Tool">The target: a name, a URI, or a pattern of them; null for every one.</param>
/// <param name="DeniedOnly">Only what the guard or a person refused.</param>
internal sealed record AuditSelection(AuditQuery Query, Glob? Tool, bool DeniedOnly)
{
    public bool Includes(AuditEntry entry) =>
        (Tool is null || (entry.Text("target") is { } target && Tool.IsMatch(target))) && (!DeniedOnly || AuditVerdictWords.IsRefusal(entry));
}
