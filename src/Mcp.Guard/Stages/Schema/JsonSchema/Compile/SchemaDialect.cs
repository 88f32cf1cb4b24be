namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A draft, and which of its vocabularies a metaschema puts in force.</summary>
internal sealed record SchemaDialect(string Uri, SchemaDraft Draft)
{
    public static SchemaDialect Draft4 { get; } = new("http://json-schema.org/draft-04/schema", SchemaDraft.Draft4);

    public static SchemaDialect Draft6 { get; } = new("http://json-schema.org/draft-06/schema", SchemaDraft.Draft6);

    public static SchemaDialect Draft7 { get; } = new("http://json-schema.org/draft-07/schema", SchemaDraft.Draft7);

    public static SchemaDialect Draft201909 { get; } = new("https://json-schema.org/draft/2019-09/schema", SchemaDraft.Draft201909);

    public static SchemaDialect Draft202012 { get; } = new("https://json-schema.org/draft/2020-12/schema", SchemaDraft.Draft202012);

    public bool HasApplicators { get; init; } = true;

    public bool HasUnevaluated { get; init; } = true;

    public bool HasValidation { get; init; } = true;

    /// <summary>The metaschema itself asks for <c>format</c> to decide.</summary>
    public bool AssertsFormat { get; init; }

    /// <summary>The published dialect of a metaschema URI, with or without an empty fragment; null where there is none.</summary>
    public static SchemaDialect? Published(string uri) => SchemaUri.WithoutEmptyFragment(uri) switch
    {
        "https://json-schema.org/draft/2020-12/schema" => Draft202012,
        "http://json-schema.org/draft-07/schema" => Draft7,
        "https://json-schema.org/draft/2019-09/schema" => Draft201909,
        "http://json-schema.org/draft-06/schema" => Draft6,
        "http://json-schema.org/draft-04/schema" => Draft4,
        _ => null,
    };

    /// <summary>Whether a keyword counts under the vocabularies in force.</summary>
    public bool Includes(SchemaKeyword keyword) => keyword switch
    {
        SchemaKeyword.UnevaluatedItems or SchemaKeyword.UnevaluatedProperties => HasUnevaluated,
        >= SchemaKeyword.Type and <= SchemaKeyword.Pattern => HasValidation,
        SchemaKeyword.Required or SchemaKeyword.MinProperties or SchemaKeyword.MaxProperties or SchemaKeyword.MinItems or SchemaKeyword.MaxItems
            or SchemaKeyword.UniqueItems or SchemaKeyword.MinContains or SchemaKeyword.MaxContains or SchemaKeyword.DependentRequired => HasValidation,
        >= SchemaKeyword.AllOf and <= SchemaKeyword.Contains => HasApplicators,
        _ => true,
    };
}
