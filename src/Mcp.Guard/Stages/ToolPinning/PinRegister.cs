using System.Buffers;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>Compares what a server lists with what the policy or the pin store remembers of it, and changes pins where nobody else does at the same time.</summary>
internal sealed class PinRegister(IPinStore store, TimeProvider time)
{
    /// <summary>
    /// Where a policy or a store keeps the pin of a server's instructions. No tool can have this name (<see cref="Catalog.ToolNameRules"/>).
    /// </summary>
    public const string InstructionsKey = "#instructions";

    /// <summary>Attempts to write pins while other hosts write too.</summary>
    public const int MaxAttempts = 5;

    private const int MaxInstructionsKept = 64 * 1024;

    // Where a refused definition of a tool is kept; no tool can have such a name.
    private const string RefusedPrefix = "#refused ";

    public ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct) => store.ReadAsync(server, ct);

    /// <summary>How a definition compares with pins that the policy carries: first sight is not trusted then.</summary>
    public static ToolPinComparison Compare(ServerSettings settings, string tool, string fingerprint) =>
        !settings.Pins.TryGetValue(tool, out string? pinned) ? new(ToolPinState.New, null)
        : ToolFingerprint.Same(pinned, fingerprint) ? new(ToolPinState.Pinned, null)
        : new(ToolPinState.Changed, null);

    /// <summary>How a definition compares with stored pins that count.</summary>
    public static ToolPinComparison Compare(PinnedCatalog pins, string tool, string fingerprint) =>
        pins.Status != PinnedCatalogStatus.Known ? new(ToolPinState.Unavailable, null)
        : pins.Tools.TryGetValue(RefusedPrefix + tool, out ToolPin? refused) && ToolFingerprint.Same(refused.Fingerprint, fingerprint) ? new(ToolPinState.Refused, null)
        : !pins.Tools.TryGetValue(tool, out ToolPin? pin) ? new(ToolPinState.New, null)
        : new(ToolFingerprint.Same(pin.Fingerprint, fingerprint) ? ToolPinState.Pinned : ToolPinState.Changed, pin);

    /// <summary>Pins what a server lists at its first sight; false where another host was first.</summary>
    public ValueTask<bool> TryPinFirstSightAsync(McpServerIdentity server, PinnedCatalog pins, IEnumerable<ListedTool> listed, CancellationToken ct)
    {
        var tools = new Dictionary<string, ToolPin>(pins.Tools, StringComparer.Ordinal);
        foreach (ListedTool tool in listed)
        {
            tools.TryAdd(tool.Name, Pin(tool.Name, tool.Fingerprint, ToolFingerprint.CanonicalText(tool.Definition), approved: false));
        }

        return store.TryWriteAsync(server, With(pins, tools, pins.InstructionsFingerprint, toolsSeen: true), ct);
    }

    /// <summary>Pins exactly this definition, with a person's word; false where others kept writing.</summary>
    public ValueTask<bool> ApproveAsync(McpServerIdentity server, string tool, string fingerprint, string? definition, CancellationToken ct) =>
        ChangeAsync(
            server,
            tools =>
            {
                tools.Remove(RefusedPrefix + tool);
                tools[tool] = Pin(tool, fingerprint, definition, approved: true);
            },
            ct);

    /// <summary>Keeps exactly this definition out.</summary>
    public ValueTask<bool> RefuseAsync(McpServerIdentity server, string tool, string fingerprint, CancellationToken ct) =>
        ChangeAsync(server, tools => tools[RefusedPrefix + tool] = Pin(RefusedPrefix + tool, fingerprint, null, approved: false), ct);

    /// <summary>
    /// Whether the instructions are the remembered ones; those of a server's first sight are remembered. Absent ones show nothing, so they need nobody's word.
    /// </summary>
    public async ValueTask<bool> AreInstructionsKnownAsync(McpServerIdentity server, ServerSettings settings, string? instructions, CancellationToken ct)
    {
        string? fingerprint = ToolFingerprint.OfInstructions(instructions);
        if (settings.Pins.Count > 0)
        {
            return fingerprint is null || (settings.Pins.TryGetValue(InstructionsKey, out string? pinned) && ToolFingerprint.Same(pinned, fingerprint));
        }

        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            PinnedCatalog pins = await store.ReadAsync(server, ct).ConfigureAwait(false);
            if (pins.Status == PinnedCatalogStatus.Known)
            {
                return fingerprint is null || ToolFingerprint.Same(pins.InstructionsFingerprint, fingerprint);
            }

            if (pins.Status != PinnedCatalogStatus.FirstSight)
            {
                return fingerprint is null;
            }

            if (await store.TryWriteAsync(server, WithInstructions(pins, fingerprint, instructions, approved: false), ct).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Pins exactly these instructions, with a person's word.</summary>
    public async ValueTask<bool> ApproveInstructionsAsync(McpServerIdentity server, string instructions, CancellationToken ct)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            PinnedCatalog pins = await store.ReadAsync(server, ct).ConfigureAwait(false);
            if (await store.TryWriteAsync(server, WithInstructions(pins, ToolFingerprint.OfInstructions(instructions), instructions, approved: true), ct).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    private PinnedCatalog WithInstructions(PinnedCatalog pins, string? fingerprint, string? instructions, bool approved)
    {
        var tools = new Dictionary<string, ToolPin>(pins.Tools, StringComparer.Ordinal);
        tools.Remove(InstructionsKey);
        if (fingerprint is not null && instructions!.Length <= MaxInstructionsKept)
        {
            tools[InstructionsKey] = Pin(InstructionsKey, fingerprint, AsJson(instructions), approved);
        }

        // Where pins were lost the tools of the server may have been known: their next list is no first sight.
        return With(pins, tools, fingerprint, toolsSeen: pins.ToolsSeen || pins.Status == PinnedCatalogStatus.Unavailable);
    }

    /// <summary>The text as a JSON string: what stands for a definition where instructions are reviewed.</summary>
    public static string AsJson(string instructions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStringValue(instructions);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private async ValueTask<bool> ChangeAsync(McpServerIdentity server, Action<Dictionary<string, ToolPin>> change, CancellationToken ct)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            PinnedCatalog pins = await store.ReadAsync(server, ct).ConfigureAwait(false);
            var tools = new Dictionary<string, ToolPin>(pins.Tools, StringComparer.Ordinal);
            change(tools);
            if (await store.TryWriteAsync(server, With(pins, tools, pins.InstructionsFingerprint, toolsSeen: true), ct).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    private static PinnedCatalog With(PinnedCatalog pins, Dictionary<string, ToolPin> tools, string? instructions, bool toolsSeen) => new()
    {
        Status = PinnedCatalogStatus.Known,
        Version = pins.Version,
        InstructionsFingerprint = instructions,
        ToolsSeen = toolsSeen,
        Tools = tools,
    };

    private ToolPin Pin(string tool, string fingerprint, string? definition, bool approved) => new()
    {
        Tool = tool,
        Fingerprint = fingerprint,
        Definition = definition,
        IsApproved = approved,
        PinnedAt = time.GetUtcNow(),
    };
}
