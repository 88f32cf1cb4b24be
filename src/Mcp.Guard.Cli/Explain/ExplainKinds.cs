namespace Mcp.Guard.Cli.Explain;

/// <summary>Every kind that <c>mcp-guard explain</c> knows. A stage adds its kind here.</summary>
internal static class ExplainKinds
{
    public static IReadOnlyList<IExplainKind> All { get; } =
    [
        new PathExplainKind(),
        new UrlExplainKind(),
        new CommandExplainKind(),
        new TextKind(),
        new RedactKind(),
        new ArgumentsKind(),
        new CatalogKind(),
        new ExplainSchema(),
        new CallExplainKind(),
    ];
}
