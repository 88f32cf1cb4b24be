using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Stages.Schema;

/// <summary>
/// Compiles a tool's schema and holds it to MCP's own rules: the root of <c>inputSchema</c> and <c>outputSchema</c>, which depend on the
/// protocol version, and the <c>x-mcp-header</c> annotations.
/// </summary>
internal static class McpSchemaCompiler
{
    /// <summary>The first version in which <c>outputSchema</c> may be any schema (SEP-2106) and <c>x-mcp-header</c> has a meaning (SEP-2243).</summary>
    private const string July2026 = "2026-07-28";

    /// <param name="utf8Schema">The schema as the server sent it.</param>
    /// <param name="kind">Where it stands.</param>
    /// <param name="protocolVersion">The version negotiated; null where it is unknown, which is read as the newest.</param>
    /// <param name="options">Limits, dialect and resources.</param>
    public static JsonSchemaCompilation Compile(ReadOnlySpan<byte> utf8Schema, McpSchemaKind kind, string? protocolVersion, JsonSchemaOptions options)
    {
        JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(utf8Schema, options);
        if (kind == McpSchemaKind.Fragment || compilation.Program is null)
        {
            return compilation;
        }

        var tape = new JsonTape();
        if (StrictJsonParser.Parse(utf8Schema, options.SchemaLimits, tape) != JsonTextFault.None)
        {
            return default;
        }

        var view = new JsonView(utf8Schema, tape);

        // Versions are dates, so that their order is the order of their text; anything else is not older than the newest.
        bool isNew = protocolVersion is null || string.CompareOrdinal(protocolVersion, July2026) >= 0;
        bool mayBeAny = kind == McpSchemaKind.OutputSchema && isNew;
        JsonSchemaRejection? rejection = mayBeAny ? null : Root(view, kind);
        if (rejection is null && kind == McpSchemaKind.InputSchema && isNew)
        {
            rejection = McpHeaderRules.Check(view);
        }

        if (rejection is not null)
        {
            return new JsonSchemaCompilation(rejection);
        }

        if (mayBeAny)
        {
            return compilation;
        }

        JsonSchemaProgram program = compilation.Program.ForObjects();
        if (kind == McpSchemaKind.InputSchema && isNew && utf8Schema.IndexOf("x-mcp-header"u8) >= 0 && McpHeaderRules.Bounds(view) is { } bounds)
        {
            JsonSchemaCompilation also = JsonSchemaCompiler.Compile(bounds, options with { DefaultDialect = SchemaDialect.Draft202012.Uri });
            return also.Program is null ? also : new JsonSchemaCompilation(program.And(also.Program));
        }

        return new JsonSchemaCompilation(program);
    }

    /// <summary>
    /// The root must be <c>"type": "object"</c>. Published servers leave the type out; such a schema is accepted as if it were there: arguments
    /// are an object in every version, so that refusing the tool would stop nothing.
    /// </summary>
    private static JsonSchemaRejection? Root(in JsonView view, McpSchemaKind kind)
    {
        string name = kind == McpSchemaKind.InputSchema ? "inputSchema" : "outputSchema";
        if (view.Tokens[0].Type != JsonTypes.Object)
        {
            return new JsonSchemaRejection(McpSchemaCodes.Root, "", $"'{name}' must be a JSON object");
        }

        int type = view.Member(0, "type"u8);
        return type < 0 || (view.Tokens[type].Type == JsonTypes.String && view.Bytes(view.Tokens[type]).SequenceEqual("object"u8))
            ? null
            : new JsonSchemaRejection(McpSchemaCodes.Root, "/type", $"the root of '{name}' must have \"type\": \"object\"");
    }
}
