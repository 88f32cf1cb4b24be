using System.Text.Json;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>Tells what <c>mcp-guard init</c> decided and why, and what is left to do.</summary>
internal sealed class InitReport(
    CommandTerminal terminal, InitOptions options, IReadOnlyList<(ServerDraft Draft, DraftedRules Rules)> servers, IReadOnlyList<(string Name, string Problem)> left, PolicySnapshot policy)
{
    public void Show()
    {
        foreach ((ServerDraft draft, DraftedRules rules) in servers)
        {
            Show(draft, rules);
        }

        terminal.Line();
        terminal.Line($"Written: {options.Output}", Tone.Good);
        foreach (string step in NextSteps())
        {
            terminal.Line("- " + step);
        }

        terminal.Json(Write);
    }

    private void Show(ServerDraft draft, DraftedRules rules)
    {
        terminal.Line();
        terminal.Line($"{draft.Id}: {policy.Servers[draft.Id].Endpoint.Describe()}", Tone.Strong);
        foreach (string line in Decisions(draft, rules))
        {
            terminal.Line("  " + line);
        }

        if (rules.Tools.Count + rules.Unusable.Count == 0)
        {
            terminal.Line("  It lists no tool.");
            return;
        }

        terminal.Line("  Its tools, as it describes them itself:");
        var table = new TerminalTable("tool", "kind", "call", "why");
        foreach (ToolDraft tool in rules.Tools.Concat(rules.Unusable))
        {
            string effect = rules.Unusable.Contains(tool) ? "deny" : rules.EffectOf(tool);
            bool marked = tool.Kind is ToolKind.Flagged or ToolKind.DangerousName;
            table.Add(
                new TerminalCell((marked ? "! " : string.Empty) + TerminalText.FromServer(tool.Name, 64), marked ? Tone.Bad : Tone.Plain),
                WordOf(tool.Kind),
                new TerminalCell(effect, effect == "allow" ? Tone.Good : effect == "ask" ? Tone.Caution : Tone.Bad),
                tool.Paths.Count == 0 ? tool.Why : $"{tool.Why}; paths: {string.Join(" ", tool.Paths.Select(static path => TerminalText.FromServer(path, 64)))}");
        }

        terminal.Write(table);
    }

    private static IEnumerable<string> Decisions(ServerDraft draft, DraftedRules rules)
    {
        if (draft.IsProcess)
        {
            yield return draft.IsIsolated ? "Box: bubblewrap, no network." : "Box: none. It has all rights of its user.";
        }

        foreach (string root in draft.Roots)
        {
            yield return rules.Writes ? $"Root: {root}, read and write." : $"Root: {root}, read only: every tool says that it only reads.";
        }

        if (draft.Roots.Count == 0 && rules.Tools.Any(static tool => tool.Paths.Count > 0))
        {
            yield return "Root: none, so that every path is denied. Name folders with --root.";
        }

        foreach (string readable in draft.Readable)
        {
            yield return $"Shown read-only: {readable}.";
        }

        foreach ((string name, DraftValue value) in draft.Environment.Concat(draft.Headers))
        {
            yield return value.Secret is { } secret ? $"{name}: the secret {secret}." : $"{name}: written as it is.";
        }

        foreach (string note in draft.Notes)
        {
            yield return char.ToUpperInvariant(note[0]) + note[1..] + ".";
        }

        int reaching = rules.Tools.Count(static tool => tool.Kind == ToolKind.OpenWorld);
        if (reaching > 0 && draft is { IsProcess: true, IsIsolated: true })
        {
            yield return $"{reaching} of its tools reach out, and its box has no network: set isolation.network to true if you mean it.";
        }
    }

    private IEnumerable<string> NextSteps()
    {
        string file = Path.GetFileName(options.Output);
        yield return $"Read {file}: what asks, what is denied, which folders are roots.";
        string[] secrets = [.. Secrets().Where(static name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))];
        if (secrets.Length > 0)
        {
            yield return $"Set in the environment of the host: {string.Join(", ", secrets)}.";
        }

        yield return $"mcp-guard check {file} --against {servers[0].Draft.Id}";
        yield return $"mcp-guard run {file}";
    }

    private IEnumerable<string> Secrets() =>
        servers.SelectMany(static pair => pair.Draft.Environment.Values.Concat(pair.Draft.Headers.Values)).Select(static value => value.Secret).OfType<string>()
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static string WordOf(ToolKind kind) => kind switch
    {
        ToolKind.Flagged => "flagged",
        ToolKind.DangerousName => "dangerous name",
        ToolKind.Destructive => "destructive",
        ToolKind.OpenWorld => "open world",
        ToolKind.Writing => "writing",
        ToolKind.ReadOnly => "read-only",
        _ => "unknown",
    };

    private void Write(Utf8JsonWriter json)
    {
        json.WriteString("policy", options.Output);
        json.WriteString("revision", policy.Revision);
        json.WriteStartArray("servers");
        foreach ((ServerDraft draft, DraftedRules rules) in servers)
        {
            json.WriteStartObject();
            json.WriteString("id", draft.Id);
            json.WriteString("endpoint", policy.Servers[draft.Id].Endpoint.Describe());
            json.WriteBoolean("isolated", draft is { IsProcess: true, IsIsolated: true });
            json.WriteTexts("decisions", Decisions(draft, rules));
            json.WriteTexts("roots", draft.Roots);
            json.WriteStartArray("tools");
            foreach (ToolDraft tool in rules.Tools.Concat(rules.Unusable))
            {
                json.WriteStartObject();
                json.WriteString("name", tool.Name);
                json.WriteString("kind", WordOf(tool.Kind));
                json.WriteString("effect", rules.Unusable.Contains(tool) ? "deny" : rules.EffectOf(tool));
                json.WriteString("why", tool.Why);
                json.WriteTexts("paths", tool.Paths);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteTexts("secrets", Secrets());
        json.WriteStartArray("left");
        foreach ((string name, string problem) in left)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("problem", problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
