using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Cli.Replay;

/// <summary>The tool definitions that the catalogue records of a log hold. A definition counts only where it has the recorded fingerprint.</summary>
internal sealed class RecordedTools
{
    /// <summary>Definitions that are held; further ones are not known.</summary>
    private const int MaxHeld = 20_000;

    private readonly Dictionary<(string Server, string Tool, string Fingerprint), Tool> _tools = [];
    private readonly Dictionary<(string Server, string Tool), string> _listedLast = [];

    /// <summary>Takes a record of a catalogue.</summary>
    public void Take(AuditRecord record)
    {
        if (record is not { Server: { } server, Target: { } name, Fingerprint: { } fingerprint, Decision: { } decision })
        {
            return;
        }

        var key = (server, name, fingerprint);
        ToolPinState? state = CatalogRecords.StateOf(decision);
        if (!_tools.TryGetValue(key, out Tool? known))
        {
            if (_tools.Count >= MaxHeld)
            {
                return;
            }

            known = new Tool();
            _tools.Add(key, known);
        }

        known.State = state ?? known.State;
        if (known.Definition.ValueKind == JsonValueKind.Undefined
            && record.Result.ValueKind == JsonValueKind.Object
            && ToolFingerprint.TryOfTool(record.Result, out string? computed) == JsonFault.None
            && string.Equals(computed, fingerprint, StringComparison.Ordinal))
        {
            known.Definition = record.Result;
        }

        if (CatalogRecords.IsListing(decision))
        {
            _listedLast[(server, name)] = fingerprint;
        }
    }

    /// <summary>The fingerprint of the definition that the server listed last.</summary>
    public string? ListedLast(string server, string tool) => _listedLast.GetValueOrDefault((server, tool));

    /// <summary>How the definition compared with the pins of then, and the definition, undefined where the log does not hold it whole.</summary>
    public (JsonElement Definition, ToolPinState State) Find(string server, string tool, string? fingerprint) =>
        fingerprint is not null && _tools.TryGetValue((server, tool, fingerprint), out Tool? known) ? (known.Definition, known.State) : (default, ToolPinState.Pinned);

    private sealed class Tool
    {
        public JsonElement Definition { get; set; }

        public ToolPinState State { get; set; } = ToolPinState.Pinned;
    }
}
