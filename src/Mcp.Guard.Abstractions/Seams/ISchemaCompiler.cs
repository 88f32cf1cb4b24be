namespace Mcp.Guard;

/// <summary>Turns JSON Schema into validators. The built-in engine promises bounds against hostile schemas; a host can put another one here.</summary>
public interface ISchemaCompiler
{
    /// <summary>Compiles a schema. Never throws for any text: what is not acceptable is a rejection.</summary>
    /// <param name="utf8">The schema as JSON text.</param>
    /// <param name="options">How.</param>
    SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options);
}
