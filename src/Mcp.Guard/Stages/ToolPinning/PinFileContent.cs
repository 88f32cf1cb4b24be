using System.Text.Json;
using Mcp.Guard.State;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>What a pin file holds. The default value is that of a file that cannot be used.</summary>
internal sealed class PinFileContent
{
    /// <summary>False where the file is lost or damaged.</summary>
    public bool IsSound { get; init; }

    /// <summary>False where pins were lost once: a server that is not in the file may have been known, so it is no first sight.</summary>
    public bool IsComplete { get; init; }

    /// <summary>The pins by <see cref="McpServerIdentity.ToString"/>.</summary>
    public Dictionary<string, PinnedCatalog> Servers { get; } = new(StringComparer.Ordinal);

    public PinnedCatalog Of(McpServerIdentity server)
    {
        if (Servers.TryGetValue(server.ToString(), out PinnedCatalog? catalog))
        {
            return catalog;
        }

        return new PinnedCatalog { Status = IsComplete ? PinnedCatalogStatus.FirstSight : PinnedCatalogStatus.Unavailable };
    }

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("complete"u8, IsComplete);
        writer.WriteStartArray("servers"u8);
        foreach ((string server, PinnedCatalog catalog) in Servers)
        {
            writer.WriteStartObject();
            writer.WriteString("server"u8, server);
            writer.WriteNumber("version"u8, catalog.Version);
            if (catalog.InstructionsFingerprint is { } instructions)
            {
                writer.WriteString("instructions"u8, instructions);
            }

            writer.WriteBoolean("toolsSeen"u8, catalog.ToolsSeen);
            writer.WriteStartArray("tools"u8);
            foreach (ToolPin pin in catalog.Tools.Values)
            {
                writer.WriteStartObject();
                writer.WriteString("tool"u8, pin.Tool);
                writer.WriteString("fingerprint"u8, pin.Fingerprint);
                if (pin.Definition is { } definition)
                {
                    writer.WriteString("definition"u8, definition);
                }

                writer.WriteBoolean("approved"u8, pin.IsApproved);
                writer.WriteString("pinned"u8, pin.PinnedAt);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>Reads a file's content; null where an entry is incomplete: half of a file is not what was approved.</summary>
    public static PinFileContent? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || StateJson.Flag(json, "complete"u8) is not { } complete
            || !json.TryGetProperty("servers"u8, out JsonElement servers) || servers.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var content = new PinFileContent { IsSound = true, IsComplete = complete };
        foreach (JsonElement entry in servers.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || StateJson.Text(entry, "server"u8) is not { } server
                || ReadCatalog(entry) is not { } catalog || !content.Servers.TryAdd(server, catalog))
            {
                return null;
            }
        }

        return content;
    }

    private static PinnedCatalog? ReadCatalog(JsonElement entry)
    {
        if (StateJson.Number(entry, "version"u8) is not { } version || StateJson.Flag(entry, "toolsSeen"u8) is not { } toolsSeen || !entry.TryGetProperty("tools"u8, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var tools = new Dictionary<string, ToolPin>(StringComparer.Ordinal);
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || StateJson.Text(item, "tool"u8) is not { } tool || StateJson.Text(item, "fingerprint"u8) is not { } fingerprint
                || StateJson.Flag(item, "approved"u8) is not { } approved || StateJson.Moment(item, "pinned"u8) is not { } pinned
                || !tools.TryAdd(tool, new ToolPin
                {
                    Tool = tool,
                    Fingerprint = fingerprint,
                    Definition = StateJson.Text(item, "definition"u8),
                    IsApproved = approved,
                    PinnedAt = pinned,
                }))
            {
                return null;
            }
        }

        return new PinnedCatalog
        {
            Status = PinnedCatalogStatus.Known,
            Version = version,
            InstructionsFingerprint = StateJson.Text(entry, "instructions"u8),
            ToolsSeen = toolsSeen,
            Tools = tools,
        };
    }
}
