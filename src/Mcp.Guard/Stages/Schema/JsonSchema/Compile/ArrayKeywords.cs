namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Keywords on arrays, with 2020-12's names: earlier drafts' array form of <c>items</c> is <see cref="Prefix"/>.</summary>
internal sealed class ArrayKeywords
{
    public SchemaNode[] Prefix { get; set; } = [];

    /// <summary>The schema of the items after the prefix; null where they are free.</summary>
    public SchemaNode? Rest { get; set; }

    public SchemaNode? Contains { get; set; }

    public int MinContains { get; set; } = 1;

    public int MaxContains { get; set; } = int.MaxValue;

    /// <summary>2020-12 counts the items that <c>contains</c> found as evaluated, 2019-09 does not.</summary>
    public bool ContainsEvaluates { get; set; }

    public int MinItems { get; set; }

    public int MaxItems { get; set; } = int.MaxValue;

    public bool UniqueItems { get; set; }
}
