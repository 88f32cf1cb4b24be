using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// Compiles each tool definition once, whatever number of connections list it. Bounded; when full it starts anew, which costs time and no safety.
/// </summary>
internal sealed class ToolEntryCache(ISchemaCompiler schemas)
{
    private const int Capacity = 20_000;

    private readonly ConcurrentDictionary<(string Fingerprint, string? ProtocolVersion, ToolPinState Pin), ToolEntry> _entries = new();

    public ToolEntry GetOrAdd(ConnectionState connection, JsonElement item, string name, string fingerprint, ToolPinState pin)
    {
        var key = (fingerprint, connection.ProtocolVersion, pin);
        if (_entries.TryGetValue(key, out ToolEntry? known))
        {
            return known;
        }

        if (_entries.Count >= Capacity)
        {
            _entries.Clear();
        }

        return _entries.GetOrAdd(key, Compile(item.Clone(), name, fingerprint, connection.ProtocolVersion, pin));
    }

    private ToolEntry Compile(JsonElement item, string name, string fingerprint, string? version, ToolPinState pin)
    {
        SchemaCompilation input = item.TryGetProperty("inputSchema"u8, out JsonElement inputSchema)
            ? Compile(inputSchema, SchemaUse.InputSchema, version)
            : SchemaCompilation.Rejected(new SchemaRejection("missing", string.Empty, "a tool needs an inputSchema"));
        SchemaCompilation? output = item.TryGetProperty("outputSchema"u8, out JsonElement outputSchema) ? Compile(outputSchema, SchemaUse.OutputSchema, version) : null;
        return new ToolEntry(new McpToolDefinition(name, item, fingerprint), pin, ToolHints.Read(item), input, output, ToolText.Of(item, "name"u8));
    }

    private SchemaCompilation Compile(JsonElement schema, SchemaUse use, string? version) =>
        schemas.Compile(Encoding.UTF8.GetBytes(schema.GetRawText()), new SchemaOptions { Use = use, ProtocolVersion = version });
}
