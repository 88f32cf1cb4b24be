using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>Short ways to compile and validate texts in tests.</summary>
internal static class SchemaTestText
{
    public static ReadOnlySpan<byte> Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element);

    public static JsonSchemaProgram Compile(string schema, JsonSchemaOptions? options = null)
    {
        JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(Encoding.UTF8.GetBytes(schema), options ?? JsonSchemaOptions.Default);
        Assert.That(compilation.Rejection, Is.Null);
        return compilation.Program!;
    }

    public static JsonSchemaRejection Reject(string schema, JsonSchemaOptions? options = null)
    {
        JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(Encoding.UTF8.GetBytes(schema), options ?? JsonSchemaOptions.Default);
        Assert.That(compilation.Program, Is.Null, schema);
        return compilation.Rejection!;
    }

    public static JsonSchemaOutcome Validate(string schema, string instance, JsonSchemaOptions? options = null) =>
        Compile(schema, options).Validate(Encoding.UTF8.GetBytes(instance)).Outcome;
}
