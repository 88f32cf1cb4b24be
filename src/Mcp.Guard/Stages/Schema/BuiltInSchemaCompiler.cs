using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Stages.Schema;

/// <summary>Puts the library's own engine behind the seam.</summary>
internal sealed class BuiltInSchemaCompiler : ISchemaCompiler
{
    public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        JsonSchemaCompilation compiled = McpSchemaCompiler.Compile(
            utf8,
            options.Use switch
            {
                SchemaUse.InputSchema => McpSchemaKind.InputSchema,
                SchemaUse.OutputSchema => McpSchemaKind.OutputSchema,
                _ => McpSchemaKind.Fragment,
            },
            options.ProtocolVersion,
            new JsonSchemaOptions { AssertFormat = options.AssertFormats });
        return compiled.TryGetProgram(out JsonSchemaProgram? program, out JsonSchemaRejection? rejection)
            ? SchemaCompilation.Compiled(new BuiltInCompiledSchema(program))
            : SchemaCompilation.Rejected(new SchemaRejection(rejection.Code, rejection.Location, rejection.Message));
    }
}
