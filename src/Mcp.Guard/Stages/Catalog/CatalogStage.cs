using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// Reads what a server lists before the model does: fingerprints and pins tools, judges their names, compiles their schemas, cleans every text, and leaves out
/// what is denied by policy, changed behind its pin, unreadable or ambiguous. What is left out cannot be called either.
/// </summary>
internal sealed class CatalogStage : IGuardStage<CatalogContext>
{
    public string Name => "catalog";

    public ValueTask<GuardDecision> EvaluateAsync(CatalogContext context, CancellationToken ct) => context.Method switch
    {
        MethodTable.ToolsList => JudgeToolsAsync(context, ct),
        MethodTable.PromptsList => new(FilterTargets(context, "prompts"u8, "name"u8, context.Request.Connection.Runtime.IsDryRun ? static (_, _) => false : static (settings, name) => settings.ForPrompt(name).IsDenied)),
        MethodTable.ResourcesList => new(FilterTargets(context, "resources"u8, "uri"u8, context.Request.Connection.Runtime.IsDryRun ? static (_, _) => false : static (settings, uri) => settings.ForResource(uri).IsDenied)),

        // A template is no resource yet: the one that is read is judged by its URI.
        MethodTable.TemplatesList => new(FilterTargets(context, "resourceTemplates"u8, "uriTemplate"u8, static (_, _) => false)),
        _ => new(GuardDecision.Continue),
    };

    /// <summary>What the policy makes of findings in a definition: the strictest of their actions.</summary>
    public static FlagAction ActionOf(ServerSettings settings, ContentFindings findings)
    {
        FlagAction worst = FlagAction.Report;
        if (findings != ContentFindings.None)
        {
            foreach (var (finding, action) in settings.Flags)
            {
                worst = (finding & findings) != 0 && action > worst ? action : worst;
            }
        }

        return worst;
    }

    /// <summary>
    /// Prompts, resources and templates: without those that the policy denies or refuses for what is hidden in them, that cannot be read, or that are listed
    /// twice; the others with clean texts. A finding that the policy wants a person asked about keeps an entry out: nobody can be asked about a list.
    /// </summary>
    private static GuardDecision FilterTargets(CatalogContext context, ReadOnlySpan<byte> member, ReadOnlySpan<byte> key, Func<ServerSettings, string, bool> isDenied)
    {
        if (!TryGetList(context, member, out JsonElement list, out GuardDecision refusal))
        {
            return refusal;
        }

        ServerSettings settings = context.Request.Settings!;
        var kept = new List<JsonElement>(list.GetArrayLength());
        var seen = new HashSet<string>(StringComparer.Ordinal);
        ContentFindings findings = ContentFindings.None;
        int dropped = 0;
        int cleaned = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object
                || !item.TryGetProperty(key, out JsonElement name)
                || name.ValueKind != JsonValueKind.String
                || isDenied(settings, name.GetString()!)
                || !seen.Add(name.GetString()!))
            {
                dropped++;
                continue;
            }

            ToolText text = ToolText.Of(item, key);
            findings |= text.Findings;
            if (text.Shown is not { } shown || ActionOf(settings, text.Findings) != FlagAction.Report)
            {
                dropped++;
                continue;
            }

            kept.Add(shown);
            cleaned += text.IsChanged ? 1 : 0;
        }

        return dropped == 0 && cleaned == 0 && findings == ContentFindings.None
            ? GuardDecision.Continue
            : GuardDecision.Replace(
                WithList(context.Current, member, kept),
                Code(findings),
                $"{dropped} entries are denied by policy, unreadable or listed twice; the text of {cleaned} was cleaned");
    }

    private static bool TryGetList(CatalogContext context, ReadOnlySpan<byte> member, out JsonElement list, out GuardDecision refusal)
    {
        if (!context.Current.TryGetProperty(member, out list) || list.ValueKind != JsonValueKind.Array)
        {
            refusal = GuardDecision.Deny(GuardDenialCodes.ResultInvalid, "the list is missing or not an array");
            return false;
        }

        if (list.GetArrayLength() > ToolCatalog.MaxTools)
        {
            refusal = GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"the server lists more than {ToolCatalog.MaxTools} entries");
            return false;
        }

        refusal = default;
        return true;
    }

    private static async ValueTask<GuardDecision> JudgeToolsAsync(CatalogContext context, CancellationToken ct)
    {
        if (!TryGetList(context, "tools"u8, out JsonElement list, out GuardDecision refusal))
        {
            return refusal;
        }

        RequestContext request = context.Request;
        ConnectionState connection = request.Connection;
        ServerSettings settings = request.Settings!;
        string? cursor = CursorOf(request.Current, "cursor"u8);
        string? next = CursorOf(context.Current, "nextCursor"u8);
        IReadOnlyDictionary<string, ToolEntry>? known = connection.Tools.Before(cursor);
        IReadOnlyDictionary<string, ToolEntry> before = known ?? FrozenDictionary<string, ToolEntry>.Empty;
        if (before.Count + list.GetArrayLength() > ToolCatalog.MaxTools)
        {
            return GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"the server lists more than {ToolCatalog.MaxTools} tools");
        }

        // The names of all pages together: those of this page last.
        var names = new List<string>(before.Keys);
        int earlier = names.Count;
        int dropped = 0;
        var listed = new List<(int Index, ListedTool Tool)>(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("name"u8, out JsonElement name) || name.ValueKind != JsonValueKind.String)
            {
                dropped++;
                continue;
            }

            names.Add(name.GetString()!);
            if (ToolFingerprint.TryOfTool(item, out string? fingerprint) == JsonFault.None)
            {
                listed.Add((names.Count - 1, new ListedTool(item, name.GetString()!, fingerprint!)));
            }
            else
            {
                dropped++;
            }
        }

        (ToolNameVerdict[] verdicts, ToolPinComparison[] pins, bool isFirstSight) = await PinAsync(connection, settings, before, names, listed, ct).ConfigureAwait(false);

        var entries = new Dictionary<string, ToolEntry>(before, StringComparer.Ordinal);
        for (int i = 0; i < earlier; i++)
        {
            // A name of an earlier page that was refused stays refused.
            ToolEntry entry = entries[names[i]];
            entries[names[i]] = entry.Name.IsUsable ? entry.Renamed(verdicts[i], null) : entry;
        }

        bool byPolicy = settings.Pins.Count > 0;
        var page = new List<string>(listed.Count);
        for (int i = 0; i < listed.Count; i++)
        {
            (int index, ListedTool tool) = listed[i];
            ToolEntry entry = connection.Runtime.Tools
                .GetOrAdd(connection, tool.Definition, tool.Name, tool.Fingerprint, pins[i].State)
                .Listed(verdicts[index], null, pins[i].Pin, byPolicy);
            if (entries.TryAdd(tool.Name, entry))
            {
                page.Add(tool.Name);
            }
            else
            {
                entries[tool.Name] = entries[tool.Name].Renamed(verdicts[index], null);
            }
        }

        IReadOnlyList<ConnectionState> disturbed = Qualify(connection, entries);
        connection.Tools.Take(entries, isFirstSight, isWhole: known is not null, next);
        request.NextCursor = next;
        connection.Runtime.Reviews.Take(connection, settings, page.Select(name => entries[name]));
        foreach (ConnectionState other in disturbed)
        {
            other.RefreshTools();
        }

        var report = new CatalogReport();
        var shown = new List<JsonElement>(page.Count);
        var seen = new List<(ToolEntry Entry, bool IsShown)>(page.Count);
        foreach (string name in page)
        {
            ToolEntry entry = entries[name];
            bool isShown = IsShown(connection, settings, entry);
            report.Add(entry, isShown);
            seen.Add((entry, isShown));
            if (isShown)
            {
                shown.Add(entry.IsQualified ? WithName(entry.Text.Shown!.Value, entry.ListedName) : entry.Text.Shown!.Value);
            }
        }

        report.AddUnreadable(dropped);
        bool recorded = await connection.Runtime.CatalogRecords.WriteAsync(request, seen, ct).ConfigureAwait(false);
        await report.WriteAsync(connection, settings, context.DecisionId, isFirstSight, recorded, ct).ConfigureAwait(false);
        return report.IsClean ? GuardDecision.Continue : GuardDecision.Replace(WithList(context.Current, "tools"u8, shown), Code(report.Findings), report.Text);
    }

    private static string Code(ContentFindings findings) =>
        findings == ContentFindings.None ? "hidden" : "hidden," + string.Join(',', ContentFlagNames.Of((ContentFlags)(int)findings));

    private static bool IsShown(ConnectionState connection, ServerSettings settings, ToolEntry entry) =>
        entry.Pin is ToolPinState.Pinned or ToolPinState.New
        && !(entry.Pin == ToolPinState.New && connection.Runtime.Reviews.IsRefused(connection, entry.Definition))
        && entry.Name.IsUsable
        && entry.Text.Shown is not null
        && entry.InputSchema.IsCompiled
        && entry.OutputSchema is null or { IsCompiled: true }
        && ActionOf(settings, entry.Findings) != FlagAction.Deny
        && (connection.Runtime.IsDryRun || !settings.ForTool(entry.Definition.Name).IsDenied);

    /// <summary>Lists the tools whose names another server has too under their qualified names; returns the connections that have to do the same.</summary>
    private static IReadOnlyList<ConnectionState> Qualify(ConnectionState connection, Dictionary<string, ToolEntry> entries)
    {
        if (!connection.SharesNames)
        {
            return [];
        }

        string[] usable = [.. entries.Values.Where(static entry => entry.Name.IsUsable).Select(static entry => entry.Definition.Name)];
        IReadOnlyList<ConnectionState> disturbed = connection.Runtime.Names.Take(connection, usable, out HashSet<string> qualified);
        if (qualified.Count == 0)
        {
            return disturbed;
        }

        var twins = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in usable)
        {
            (string look, string letters) = ToolNameRules.TwinKeys(name);
            twins[look] = name;
            twins[letters] = name;
        }

        foreach (string name in qualified)
        {
            string listedName = QualifiedToolName.Compose(connection.Server.Id, name);
            entries[name] = entries[name].Renamed(entries[name].Name, listedName);

            // A tool that is called like the qualified form of its neighbour would be taken for it.
            (string look, string letters) = ToolNameRules.TwinKeys(listedName);
            if ((twins.TryGetValue(look, out string? twin) || twins.TryGetValue(letters, out twin)) && !string.Equals(twin, name, StringComparison.Ordinal))
            {
                entries[twin] = entries[twin].Renamed(new ToolNameVerdict(ToolNameFault.Twin, name), null);
            }
        }

        return disturbed;
    }

    private static string? CursorOf(JsonElement value, ReadOnlySpan<byte> member) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(member, out JsonElement cursor) && cursor.ValueKind == JsonValueKind.String ? cursor.GetString() : null;

    /// <summary>Judges the names and compares the definitions with the pins; pins what a server lists at its first sight.</summary>
    private static async ValueTask<(ToolNameVerdict[] Verdicts, ToolPinComparison[] Pins, bool IsFirstSight)> PinAsync(
        ConnectionState connection, ServerSettings settings, IReadOnlyDictionary<string, ToolEntry> before, List<string> names, List<(int Index, ListedTool Tool)> listed, CancellationToken ct)
    {
        var states = new ToolPinComparison[listed.Count];
        if (settings.Pins.Count > 0)
        {
            // The policy carries the pins: first sight is not trusted.
            for (int i = 0; i < listed.Count; i++)
            {
                states[i] = PinRegister.Compare(settings, listed[i].Tool.Name, listed[i].Tool.Fingerprint);
            }

            return (JudgeNames(before, names, listed, states), states, false);
        }

        PinRegister register = connection.Runtime.Pins;
        for (int attempt = 0; attempt < PinRegister.MaxAttempts; attempt++)
        {
            PinnedCatalog pins = await register.ReadAsync(connection.Server, ct).ConfigureAwait(false);
            bool isFirstSight = pins.Status == PinnedCatalogStatus.FirstSight || (pins.Status == PinnedCatalogStatus.Known && (!pins.ToolsSeen || connection.Tools.IsFirstSightOpen));
            for (int i = 0; i < listed.Count; i++)
            {
                // What is pinned already is compared at a first sight too: an earlier page, or another host, may have been first.
                states[i] = isFirstSight && !pins.Tools.ContainsKey(listed[i].Tool.Name)
                    ? new(ToolPinState.Pinned, null)
                    : PinRegister.Compare(pins, listed[i].Tool.Name, listed[i].Tool.Fingerprint);
            }

            ToolNameVerdict[] verdicts = JudgeNames(before, names, listed, states);
            if (!isFirstSight
                || await register.TryPinFirstSightAsync(connection.Server, pins, listed.Where(item => verdicts[item.Index].IsUsable).Select(static item => item.Tool), ct).ConfigureAwait(false))
            {
                return (verdicts, states, isFirstSight);
            }
        }

        Array.Clear(states); // out of reach
        return (JudgeNames(before, names, listed, states), states, false);
    }

    private static ToolNameVerdict[] JudgeNames(IReadOnlyDictionary<string, ToolEntry> before, List<string> names, List<(int Index, ListedTool Tool)> listed, ToolPinComparison[] states)
    {
        var approved = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolEntry entry in before.Values)
        {
            if (entry.Pin == ToolPinState.Pinned)
            {
                approved.Add(entry.Definition.Name);
            }
        }

        for (int i = 0; i < listed.Count; i++)
        {
            if (states[i].State == ToolPinState.Pinned)
            {
                approved.Add(listed[i].Tool.Name);
            }
        }

        return ToolNameRules.JudgeAll(names, approved.Contains);
    }

    private static JsonElement WithName(JsonElement item, string name) => JsonMembers.Replace(item, "name"u8, writer => writer.WriteString("name"u8, name));

    private static JsonElement WithList(JsonElement result, ReadOnlySpan<byte> member, List<JsonElement> items)
    {
        string name = Encoding.UTF8.GetString(member);
        return JsonMembers.Replace(result, member, writer =>
        {
            writer.WriteStartArray(name);
            foreach (JsonElement item in items)
            {
                item.WriteTo(writer);
            }

            writer.WriteEndArray();
        });
    }
}
