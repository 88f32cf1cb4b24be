namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Keywords on objects. Every name that some keyword speaks of has one entry, so that a member costs one look-up.</summary>
internal sealed class ObjectKeywords
{
    /// <summary>The names; an entry's position is its index in <see cref="Entries"/>.</summary>
    public NameTable? Names { get; set; }

    public NamedProperty[] Entries { get; set; } = [];

    public PatternProperty[] Patterns { get; set; } = [];

    /// <summary>The schema of members that neither <c>properties</c> nor a pattern names; null where they are free.</summary>
    public SchemaNode? Additional { get; set; }

    public SchemaNode? PropertyNames { get; set; }

    public int RequiredCount { get; set; }

    public int MinProperties { get; set; }

    public int MaxProperties { get; set; } = int.MaxValue;

    public Dependency[] Dependencies { get; set; } = [];
}
