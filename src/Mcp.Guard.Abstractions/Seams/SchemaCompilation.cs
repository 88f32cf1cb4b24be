using System.Diagnostics.CodeAnalysis;

namespace Mcp.Guard;

/// <summary>A compiled schema, or why it was refused. An uninitialised value is a refusal.</summary>
public readonly struct SchemaCompilation
{
    private static readonly SchemaRejection Nothing = new("not-compiled", string.Empty, "no schema was compiled");
    private readonly SchemaRejection? _rejection;

    private SchemaCompilation(CompiledSchema? schema, SchemaRejection? rejection)
    {
        Schema = schema;
        _rejection = rejection;
    }

    /// <summary>True where <see cref="Schema"/> can be used.</summary>
    [MemberNotNullWhen(true, nameof(Schema))]
    [MemberNotNullWhen(false, nameof(Rejection))]
    public bool IsCompiled => Schema is not null;

    /// <summary>The compiled schema.</summary>
    public CompiledSchema? Schema { get; }

    /// <summary>Why the schema was refused.</summary>
    public SchemaRejection? Rejection => Schema is null ? _rejection ?? Nothing : null;

    /// <summary>A success.</summary>
    /// <param name="schema">The compiled schema.</param>
    public static SchemaCompilation Compiled(CompiledSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new(schema, null);
    }

    /// <summary>A refusal.</summary>
    /// <param name="rejection">Why.</param>
    public static SchemaCompilation Rejected(SchemaRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(rejection);
        return new(null, rejection);
    }
}
