using System.Text.Json;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Pipeline;

/// <summary>A tool of one connection's catalogue: its definition, what it says of its danger, its schemas and whether it is pinned.</summary>
internal sealed class ToolEntry(McpToolDefinition definition, ToolPinState pin, ToolHints hints, SchemaCompilation inputSchema, SchemaCompilation? outputSchema, ToolText text)
{
    private PathArgumentRules? _pathRules;
    private ToolDifferences? _differences;

    public McpToolDefinition Definition => definition;

    /// <summary>Whether the definition is the pinned one.</summary>
    public ToolPinState Pin => pin;

    /// <summary>What the server says of the tool, with MCP's defaults where it says nothing.</summary>
    public ToolHints Hints => hints;

    /// <summary>The compiled <c>inputSchema</c>, or why it was refused.</summary>
    public SchemaCompilation InputSchema => inputSchema;

    /// <summary>The compiled <c>outputSchema</c>, or why it was refused; null where the tool has none.</summary>
    public SchemaCompilation? OutputSchema => outputSchema;

    /// <summary>What a model reads of it.</summary>
    public ToolText Text => text;

    /// <summary>Whether its name may be used beside the other names of its server.</summary>
    public ToolNameVerdict Name { get; private init; } = new(ToolNameFault.None);

    /// <summary>The name under which it is listed: its own, or the qualified one where another server has it too.</summary>
    public string ListedName => IsQualified ? QualifiedName! : definition.Name;

    /// <summary>True where another server has its name, or a twin of it.</summary>
    public bool IsQualified => QualifiedName is not null;

    /// <summary>The stored pin that it is compared with; null where there is none.</summary>
    public ToolPin? StoredPin { get; private init; }

    /// <summary>True where the policy carries the pins, so that nobody but the policy can approve.</summary>
    public bool IsPinnedByPolicy { get; private init; }

    /// <summary>What was found in its texts, its name included.</summary>
    public ContentFindings Findings => text.Findings | (IsQualified ? ContentFindings.NameCollision : ContentFindings.None);

    /// <summary>What changed since it was approved, for display; empty where it did not.</summary>
    public ToolDifferences Differences => pin == ToolPinState.Changed ? _differences ??= ToolComparison.Differences(StoredPin?.Definition, definition.Definition) : ToolDifferences.None;

    /// <summary>Which arguments are paths, where no rule says so; compiled on the first call.</summary>
    public PathArgumentRules DefaultPathRules => _pathRules ??= CreateDefaultPathRules();

    /// <summary>The schema as the server listed it, for finding the arguments that are paths.</summary>
    public JsonElement InputSchemaJson { get; } =
        definition.Definition.TryGetProperty("inputSchema"u8, out JsonElement schema) ? schema : default;

    private string? QualifiedName { get; init; }

    /// <summary>The same tool as one connection lists it.</summary>
    public ToolEntry Listed(ToolNameVerdict name, string? qualifiedName, ToolPin? storedPin, bool isPinnedByPolicy) =>
        name.IsUsable && qualifiedName is null && pin == ToolPinState.Pinned
            ? this
            : new(definition, pin, hints, inputSchema, outputSchema, text)
            {
                Name = name,
                QualifiedName = qualifiedName,
                StoredPin = storedPin,
                IsPinnedByPolicy = isPinnedByPolicy,
            };

    /// <summary>The same tool with what is now known of its name.</summary>
    public ToolEntry Renamed(ToolNameVerdict name, string? qualifiedName) => Listed(name, qualifiedName, StoredPin, IsPinnedByPolicy);

    private PathArgumentRules CreateDefaultPathRules() =>
        PathArgumentRules.TryCreate(PathArgumentMode.Auto, [], [], InputSchemaJson, out PathArgumentRules? rules, out _) ? rules! : PathArgumentRules.Default;
}
