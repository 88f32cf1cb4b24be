namespace Mcp.Guard.Policy;

/// <summary>Which arguments of a call are paths. Pointers are JSON Pointers; a token <c>*</c> stands for every member or element.</summary>
internal sealed record PathSettings
{
    /// <summary>Arguments that are paths, whatever they look like.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Arguments that are content, whatever they look like.</summary>
    public IReadOnlyList<string> Content { get; init; } = [];

    /// <summary>Default auto.</summary>
    public PathDetection Detection { get; init; } = PathDetection.Auto;

    /// <summary>Whether the normalised path is forwarded in place of the given one.</summary>
    public bool Rewrite { get; init; }

    /// <summary>What the tool does with the paths. Default read and write, so that it may not touch a read-only root.</summary>
    public RootAccess Access { get; init; } = RootAccess.ReadWrite;

    /// <summary>Two rules that both match: every path of either, only the content that both exempt, the stricter of the rest.</summary>
    public PathSettings Stricter(PathSettings other) => new()
    {
        Arguments = [.. Arguments.Union(other.Arguments, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        Content = [.. Content.Intersect(other.Content, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        Detection = Detection > other.Detection ? Detection : other.Detection,
        Rewrite = Rewrite || other.Rewrite,
        Access = Access > other.Access ? Access : other.Access,
    };
}
