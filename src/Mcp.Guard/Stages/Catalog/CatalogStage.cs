using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// Reads what a server lists before the model does: fingerprints and pins tools, compiles their schemas, and leaves out what is denied by policy, changed
/// behind its pin, unreadable or ambiguous. What is left out cannot be called either.
/// </summary>
internal sealed class CatalogStage : IGuardStage<CatalogContext>
{
    /// <summary>Attempts to write pins while other hosts write too.</summary>
    private const int MaxPinAttempts = 5;

    public string Name => "catalog";

    public ValueTask<GuardDecision> EvaluateAsync(CatalogContext context, CancellationToken ct) => context.Method switch
    {
        MethodTable.ToolsList => JudgeToolsAsync(context, ct),
        MethodTable.PromptsList => new(FilterTargets(context, "prompts"u8, "name"u8, static (settings, name) => settings.ForPrompt(name))),
        MethodTable.ResourcesList => new(FilterTargets(context, "resources"u8, "uri"u8, static (settings, uri) => settings.ForResource(uri))),
        _ => new(GuardDecision.Continue),
    };

    private static GuardDecision FilterTargets(CatalogContext context, ReadOnlySpan<byte> member, ReadOnlySpan<byte> key, Func<ServerSettings, string, TargetRules> rules)
    {
        if (!context.Current.TryGetProperty(member, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return GuardDecision.Deny(GuardDenialCodes.ResultInvalid, "the list is missing or not an array");
        }

        var kept = new List<JsonElement>(list.GetArrayLength());
        int dropped = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object
                && item.TryGetProperty(key, out JsonElement name)
                && name.ValueKind == JsonValueKind.String
                && !rules(context.Request.Settings!, name.GetString()!).IsDenied)
            {
                kept.Add(item);
            }
            else
            {
                dropped++;
            }
        }

        return dropped == 0 ? GuardDecision.Continue : GuardDecision.Replace(WithList(context.Current, member, kept), "hidden", $"{dropped} entries are denied by policy or unreadable");
    }

    private static async ValueTask<GuardDecision> JudgeToolsAsync(CatalogContext context, CancellationToken ct)
    {
        ConnectionState connection = context.Request.Connection;
        if (!context.Current.TryGetProperty("tools"u8, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return GuardDecision.Deny(GuardDenialCodes.ResultInvalid, "the list of tools is missing or not an array");
        }

        bool isFirst = !HasCursor(context.Request.Current);
        string? next = context.Current.TryGetProperty("nextCursor"u8, out JsonElement cursor) && cursor.ValueKind == JsonValueKind.String ? cursor.GetString() : null;
        int before = isFirst ? 0 : connection.Tools.PendingCount;
        if (before + list.GetArrayLength() > ToolCatalog.MaxTools)
        {
            return GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"the server lists more than {ToolCatalog.MaxTools} tools");
        }

        var listed = new List<(JsonElement Item, string Name, string Fingerprint)>(list.GetArrayLength());
        var names = new HashSet<string>(StringComparer.Ordinal);
        int dropped = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object
                || !item.TryGetProperty("name"u8, out JsonElement nameValue)
                || nameValue.ValueKind != JsonValueKind.String
                || ToolFingerprint.TryOfTool(item, out string? fingerprint) != Json.JsonFault.None
                || !names.Add(nameValue.GetString()!)
                || (!isFirst && connection.Tools.PendingHas(nameValue.GetString()!)))
            {
                dropped++;
                continue;
            }

            listed.Add((item, nameValue.GetString()!, fingerprint!));
        }

        IReadOnlyDictionary<string, ToolPinState> pins = await PinAsync(context, listed, isFirst, ct).ConfigureAwait(false);
        var entries = new List<ToolEntry>(listed.Count);
        var shown = new List<JsonElement>(listed.Count);
        int changed = 0;
        foreach (var (item, name, fingerprint) in listed)
        {
            ToolEntry entry = connection.Runtime.Tools.GetOrAdd(connection, item, name, fingerprint, pins[name]);
            entries.Add(entry);
            if (!IsShown(context.Request.Settings!, entry) || CleanForModel(item, name) is not { } cleaned)
            {
                dropped++;
                continue;
            }

            shown.Add(cleaned.Item);
            changed += cleaned.Changed ? 1 : 0;
        }

        connection.Tools.Take(entries, isFirst, next);
        return dropped == 0 && changed == 0
            ? GuardDecision.Continue
            : GuardDecision.Replace(
                WithList(context.Current, "tools"u8, shown), "hidden", $"{dropped} tools are denied, changed, unreadable or ambiguous; the text of {changed} was cleaned");
    }

    /// <summary>
    /// What the model reads of a tool: every text without what hides. The guard itself judges by the definition as it came. A name that would change is
    /// no name that can be called: null.
    /// </summary>
    private static (JsonElement Item, bool Changed)? CleanForModel(JsonElement item, string name)
    {
        if (JsonSanitizer.Default.Sanitize(item, TextSurface.Description).Utf8 is not { } utf8)
        {
            return (item, false);
        }

        JsonElement cleaned = JsonDocument.Parse(utf8).RootElement;
        return cleaned.TryGetProperty("name"u8, out JsonElement kept) && kept.ValueKind == JsonValueKind.String && kept.ValueEquals(name) ? (cleaned, true) : null;
    }

    private static bool IsShown(ServerSettings settings, ToolEntry entry) =>
        entry.Pin is ToolPinState.Pinned or ToolPinState.New
        && entry.InputSchema.IsCompiled
        && entry.OutputSchema is null or { IsCompiled: true }
        && !settings.ForTool(entry.Definition.Name).IsDenied;

    private static bool HasCursor(JsonElement parameters) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("cursor"u8, out JsonElement cursor) && cursor.ValueKind == JsonValueKind.String;

    /// <summary>Compares with the pins, and pins what a server lists at its first sight.</summary>
    private static async ValueTask<IReadOnlyDictionary<string, ToolPinState>> PinAsync(
        CatalogContext context, List<(JsonElement Item, string Name, string Fingerprint)> listed, bool isFirst, CancellationToken ct)
    {
        ConnectionState connection = context.Request.Connection;
        ServerSettings settings = context.Request.Settings!;
        var states = new Dictionary<string, ToolPinState>(listed.Count, StringComparer.Ordinal);
        if (settings.Pins.Count > 0)
        {
            // The policy carries the pins: first sight is not trusted.
            foreach (var (_, name, fingerprint) in listed)
            {
                states[name] = !settings.Pins.TryGetValue(name, out string? pinned) ? ToolPinState.New
                    : string.Equals(pinned, fingerprint, StringComparison.Ordinal) ? ToolPinState.Pinned
                    : ToolPinState.Changed;
            }

            return states;
        }

        IPinStore store = connection.Runtime.Pins;
        for (int attempt = 0; attempt < MaxPinAttempts; attempt++)
        {
            PinnedCatalog pins = await store.ReadAsync(connection.Server, ct).ConfigureAwait(false);
            bool firstSight = pins.Status == PinnedCatalogStatus.FirstSight || (pins.Status == PinnedCatalogStatus.Known && !isFirst && connection.Tools.IsPinningFirstSight);
            if (pins.Status == PinnedCatalogStatus.Known && !firstSight)
            {
                foreach (var (_, name, fingerprint) in listed)
                {
                    states[name] = !pins.Tools.TryGetValue(name, out ToolPin? pin) ? ToolPinState.New
                        : string.Equals(pin.Fingerprint, fingerprint, StringComparison.Ordinal) ? ToolPinState.Pinned
                        : ToolPinState.Changed;
                }

                return states;
            }

            if (!firstSight)
            {
                break;
            }

            var tools = new Dictionary<string, ToolPin>(pins.Tools, StringComparer.Ordinal);
            foreach (var (item, name, fingerprint) in listed)
            {
                tools[name] = new ToolPin
                {
                    Tool = name,
                    Fingerprint = fingerprint,
                    Definition = ToolFingerprint.CanonicalText(item),
                    PinnedAt = connection.Runtime.Time.GetUtcNow(),
                };
            }

            var pinned = new PinnedCatalog { Status = PinnedCatalogStatus.Known, Version = pins.Version, InstructionsFingerprint = pins.InstructionsFingerprint, Tools = tools };
            if (await store.TryWriteAsync(connection.Server, pinned, ct).ConfigureAwait(false))
            {
                connection.Tools.IsPinningFirstSight = true;
                foreach (var (_, name, _) in listed)
                {
                    states[name] = ToolPinState.Pinned;
                }

                return states;
            }
        }

        foreach (var (_, name, _) in listed)
        {
            states[name] = ToolPinState.Unavailable;
        }

        return states;
    }

    private static JsonElement WithList(JsonElement result, ReadOnlySpan<byte> member, List<JsonElement> items)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty property in result.EnumerateObject())
            {
                if (!property.NameEquals(member))
                {
                    property.WriteTo(writer);
                    continue;
                }

                writer.WriteStartArray(member);
                foreach (JsonElement item in items)
                {
                    item.WriteTo(writer);
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
