namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What the engine accepts and what it may cost. Every bound is counted, none is timed; the defaults are those of the documentation.</summary>
internal sealed record JsonSchemaOptions
{
    public static JsonSchemaOptions Default { get; } = new();

    /// <summary>The dialect of a schema without <c>$schema</c>, as a metaschema URI; 2020-12 by default (MCP 2025-11-25, "JSON Schema usage").</summary>
    public string DefaultDialect { get; init; } = SchemaDialect.Draft202012.Uri;

    /// <summary>Documents that the host vouches for, by URI: targets of <c>$ref</c>, and metaschemas. Nothing else is ever loaded.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>>? Resources { get; init; }

    /// <summary>Whether <c>format</c> decides; by default it is an annotation. Unknown formats never decide.</summary>
    public bool AssertFormat { get; init; }

    /// <summary>Bytes of a schema.</summary>
    public int MaxSchemaBytes { get; init; } = 256 * 1024;

    /// <summary>Nesting of a schema's JSON.</summary>
    public int MaxSchemaDepth { get; init; } = 64;

    /// <summary>Schemas within a schema, those of registered documents included.</summary>
    public int MaxSubschemas { get; init; } = 4_096;

    /// <summary>Names in one <c>properties</c>, <c>required</c> or <c>dependent*</c>.</summary>
    public int MaxPropertiesPerObject { get; init; } = 1_024;

    /// <summary>Values of one <c>enum</c>.</summary>
    public int MaxEnumValues { get; init; } = 4_096;

    /// <summary>References followed in a row at one place of the instance.</summary>
    public int MaxReferenceChain { get; init; } = 64;

    /// <summary>Characters of a pattern.</summary>
    public int MaxPatternLength { get; init; } = 2_048;

    /// <summary>Patterns in a schema.</summary>
    public int MaxPatterns { get; init; } = 256;

    /// <summary>Bytes of an instance.</summary>
    public int MaxInstanceBytes { get; init; } = 1024 * 1024;

    /// <summary>Nesting of an instance.</summary>
    public int MaxInstanceDepth { get; init; } = 64;

    /// <summary>Tokens of an instance: names, values, containers.</summary>
    public int MaxInstanceTokens { get; init; } = 100_000;

    /// <summary>Steps of one validation: about one for each schema looked at, each pattern tried, each pair of items compared.</summary>
    public int MaxSteps { get; init; } = 200_000;

    internal JsonTextLimits InstanceLimits => new(MaxInstanceBytes, MaxInstanceDepth, MaxInstanceTokens);

    /// <summary>A schema's tokens are bounded by its bytes; two bytes a token is the densest JSON there is.</summary>
    internal JsonTextLimits SchemaLimits => new(MaxSchemaBytes, MaxSchemaDepth, MaxSchemaBytes);
}
