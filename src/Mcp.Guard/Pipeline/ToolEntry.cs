using System.Text.Json;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Pipeline;

/// <summary>A tool of one connection's catalogue: its definition, what it says of its danger, its schemas and whether it is pinned.</summary>
internal sealed class ToolEntry(McpToolDefinition definition, ToolPinState pin, ToolHints hints, SchemaCompilation inputSchema, SchemaCompilation? outputSchema)
{
    private PathArgumentRules? _pathRules;

    public McpToolDefinition Definition => definition;

    /// <summary>Whether the definition is the pinned one.</summary>
    public ToolPinState Pin => pin;

    /// <summary>What the server says of the tool, with MCP's defaults where it says nothing.</summary>
    public ToolHints Hints => hints;

    /// <summary>The compiled <c>inputSchema</c>, or why it was refused.</summary>
    public SchemaCompilation InputSchema => inputSchema;

    /// <summary>The compiled <c>outputSchema</c>, or why it was refused; null where the tool has none.</summary>
    public SchemaCompilation? OutputSchema => outputSchema;

    /// <summary>Which arguments are paths, where no rule says so; compiled on the first call.</summary>
    public PathArgumentRules DefaultPathRules => _pathRules ??= CreateDefaultPathRules();

    private PathArgumentRules CreateDefaultPathRules() =>
        PathArgumentRules.TryCreate(PathArgumentMode.Auto, [], [], InputSchemaJson, out PathArgumentRules? rules, out _) ? rules! : PathArgumentRules.Default;

    /// <summary>The schema as the server listed it, for finding the arguments that are paths.</summary>
    public JsonElement InputSchemaJson { get; } =
        definition.Definition.TryGetProperty("inputSchema"u8, out JsonElement schema) ? schema : default;
}
