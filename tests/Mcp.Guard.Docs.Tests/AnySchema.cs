using System.Text.Json;

namespace Mcp.Guard.Docs.Tests;

/// <summary>Compiles every schema: the policies of documents are read for their keys and values.</summary>
internal sealed class AnySchema : CompiledSchema, ISchemaCompiler
{
    public static AnySchema Instance { get; } = new();

    public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options) => SchemaCompilation.Compiled(this);

    public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5) => SchemaOutcome.Valid;

    public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5) => SchemaOutcome.Valid;
}
