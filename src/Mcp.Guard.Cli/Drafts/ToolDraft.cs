using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>What is decided about one tool, and why. A hint of the server's chooses the group that a person reviews; it never lets anything pass.</summary>
/// <param name="Name">The exact name.</param>
/// <param name="Fingerprint">What the policy pins.</param>
/// <param name="Kind">The rule group.</param>
/// <param name="Why">The reason, in words of the guard.</param>
/// <param name="Paths">Arguments that are paths.</param>
/// <param name="ReachesOut">False only where the server says that it does not reach beyond itself.</param>
internal sealed record ToolDraft(string Name, string Fingerprint, ToolKind Kind, string Why, IReadOnlyList<string> Paths, bool ReachesOut)
{
    public static ToolDraft Of(ToolEntry tool)
    {
        string name = tool.Definition.Name;
        (ToolKind kind, string why) = Classify(tool);
        return new(name, tool.Definition.Fingerprint, kind, why, ToolPaths.Find(tool.InputSchemaJson), tool.Hints.OpenWorld != false);
    }

    private static (ToolKind Kind, string Why) Classify(ToolEntry tool)
    {
        ToolHints hints = tool.Hints;
        if (!tool.Name.IsUsable)
        {
            return (ToolKind.Flagged, $"its name may not be used ({tool.Name.Fault.ToString().ToLowerInvariant()}): the guard refuses it");
        }

        if (!tool.InputSchema.IsCompiled)
        {
            return (ToolKind.Flagged, $"its inputSchema is refused ({TerminalText.FromServer(tool.InputSchema.Rejection.Code, 40)})");
        }

        if (tool.Findings != ContentFindings.None)
        {
            return (ToolKind.Flagged, "its definition is flagged: " + string.Join(", ", ContentFlagNames.Of((ContentFlags)(int)tool.Findings)));
        }

        string said = Say(hints);
        if (DangerousNames.Find(tool.Definition.Name) is { } meaning)
        {
            return (ToolKind.DangerousName, $"a name that {meaning}; {said}");
        }

        ToolKind kind = hints switch
        {
            { ReadOnly: null, Destructive: null } => ToolKind.Unknown,
            { Destructive: true } => ToolKind.Destructive,
            { ReadOnly: not true, Destructive: null } => ToolKind.Destructive,
            { OpenWorld: true } => ToolKind.OpenWorld,
            { ReadOnly: true } => ToolKind.ReadOnly,
            _ => ToolKind.Writing,
        };
        return (kind, said);
    }

    private static string Say(ToolHints hints)
    {
        var said = new List<string>(3);
        if (hints.ReadOnly is { } reads)
        {
            said.Add(reads ? "only reads" : "writes");
        }

        if (hints.Destructive is { } destroys)
        {
            said.Add(destroys ? "destroys" : "does not destroy");
        }

        if (hints.OpenWorld is { } open)
        {
            said.Add(open ? "reaches out" : "stays inside");
        }

        return said.Count == 0 ? "nothing said" : string.Join(", ", said);
    }
}
