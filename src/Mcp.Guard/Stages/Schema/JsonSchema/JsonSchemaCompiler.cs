namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Compiles a JSON Schema into a program, or says why it is refused. Reads nothing but its arguments: no file, no network, no shared state.</summary>
internal static class JsonSchemaCompiler
{
    public static JsonSchemaCompilation Compile(ReadOnlySpan<byte> utf8Schema, JsonSchemaOptions options) =>
        new SchemaCompilation(options).Run(utf8Schema);

    public static JsonSchemaCompilation Compile(ReadOnlySpan<byte> utf8Schema) => Compile(utf8Schema, JsonSchemaOptions.Default);
}
