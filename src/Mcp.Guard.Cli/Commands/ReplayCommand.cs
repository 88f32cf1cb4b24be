using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Cli.Audit;
using Mcp.Guard.Cli.Replay;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard replay POLICY --audit DIR</c>: what a draft policy makes of the calls that a log holds.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The draft policy." };
        var audit = new Option<string>("--audit") { Description = "The folder of the log (audit.directory of the policy in force).", Required = true, HelpName = "DIR" };
        var ignore = new Option<string[]>("--ignore") { Description = "Leave out calls that were denied with this code, such as halted. Repeat it for more.", HelpName = "CODE" };
        var all = new Option<bool>("--all") { Description = "Show the calls too whose fate stays the same." };
        var selection = new AuditSelectionOptions();
        var verb = new Verb(
            "replay",
            "Judges the calls of an audit log by a draft policy. Nothing is started, sent or written. Ends with 1 where a call would newly pass, or where that cannot be ruled out.",
            "mcp-guard replay draft.json --audit /var/lib/acme/mcp-audit",
            "mcp-guard replay draft.json --audit ./audit --since 7d --server files",
            "mcp-guard replay draft.json --audit ./audit --ignore halted --json")
        {
            policy, audit, ignore, all,
        };
        selection.AddTo(verb);
        verb.Runs(async (parsed, terminal, ct) =>
        {
            PolicySnapshot draft = PolicyFile.Read(parsed.GetValue(policy)!);
            string folder = AuditFolderArgument.WithLog(parsed.GetValue(audit)!);
            AuditSelection selected = selection.Read(parsed, TimeProvider.System);
            var calls = new RecordedCalls(folder, selected, new HashSet<string>(parsed.GetValue(ignore) ?? [], StringComparer.Ordinal));
            ReplayReport report = await terminal.WithProgressAsync("judging the recorded calls", () => Task.Run(() => RunAsync(draft, calls, ct), ct)).ConfigureAwait(false);
            if (calls.IsUnreadable)
            {
                throw new CommandFault($"no line of the log in {folder} is a record", $"mcp-guard audit verify {folder} says where it is damaged.");
            }

            if (!calls.CanTellWhole)
            {
                terminal.Warn("the folder holds no digest.key, so that no recorded arguments can be told to be whole");
            }

            AuditExportCommand.WarnOfUnreadable(terminal, calls.Unreadable);
            Write(terminal, report, parsed.GetValue(all));
            terminal.Json(json => WriteJson(json, report));
            return report.Loosens ? ExitCodes.Negative : ExitCodes.Done;
        });
        return verb;
    }

    private static async Task<ReplayReport> RunAsync(PolicySnapshot draft, RecordedCalls calls, CancellationToken ct)
    {
        var report = new ReplayReport();
        ReplayGuard? guard = null;
        try
        {
            await foreach (RecordedCall call in calls.ReadAsync(report, ct).ConfigureAwait(false))
            {
                guard ??= await ReplayGuard.CreateAsync(draft, calls.Tools, call.Time, ct).ConfigureAwait(false);
                ReplayVerdict verdict = await guard.JudgeAsync(call, ct).ConfigureAwait(false);
                if (call.IsSelected)
                {
                    report.Add(call, verdict);
                }
            }
        }
        finally
        {
            if (guard is not null)
            {
                await guard.DisposeAsync().ConfigureAwait(false);
            }
        }

        return report;
    }

    private static void Write(CommandTerminal terminal, ReplayReport report, bool all)
    {
        var table = new TerminalTable("CHANGE", "CALL", "WAS", "NOW", "CALLS", "WHY");
        foreach ((ReplayGroup group, long count, _) in report.Groups)
        {
            if (group.Change != ReplayChange.Same || all)
            {
                (string was, string wasMore) = Split(group.Was);
                (string now, string nowMore) = Split(group.Now);
                string why = string.Join("; ", ((string[])[nowMore, wasMore.Length == 0 ? string.Empty : "was " + wasMore, group.Why]).Where(static text => text.Length > 0));
                table.Add(
                    new TerminalCell(WordOf(group.Change), ToneOf(group.Change)), $"{group.Server} {group.What}", was, now, count.ToString(CultureInfo.InvariantCulture), why);
            }
        }

        if (table.Rows.Count > 0)
        {
            terminal.Write(table);
        }

        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{report.Calls} calls of the log, judged by the draft:"), Tone.Strong);
        Count(terminal, report[ReplayChange.NewlyPasses], "newly pass: denied or asked about then, nobody asked now", Tone.Bad);
        Count(terminal, report[ReplayChange.MayNewlyPass], "may newly pass: the record lacks what the draft looks at", Tone.Bad);
        Count(terminal, report[ReplayChange.NewlyAskedInsteadOfDenied], "newly ask: denied then", Tone.Caution);
        Count(terminal, report[ReplayChange.CannotBeJudged], "cannot be judged: passed then, may be asked or denied now", Tone.Caution);
        Count(terminal, report[ReplayChange.NewlyAsked], "newly ask: passed then", Tone.Plain);
        Count(terminal, report[ReplayChange.NewlyDenied], "newly denied", Tone.Plain);
        Count(terminal, report[ReplayChange.Same], "as before", Tone.Plain);
        if (report.InPart > 0)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{report.InPart,8}  of them judged in part: what the records lack could only deny"));
        }

        if (report.Ungrouped + report.Ignored + report.Several + report.Continued > 0)
        {
            terminal.Line();
            Count(terminal, report.Ungrouped, "judged, and in no row: the table is full", Tone.Plain);
            Count(terminal, report.Ignored, "left out by --ignore", Tone.Plain);
            Count(terminal, report.Several, "in counts of different events: not recorded one by one", Tone.Caution);
            Count(terminal, report.Continued, "continuations, judged with their first request", Tone.Plain);
        }
    }

    /// <summary>The first word, and what it says more.</summary>
    private static (string Word, string More) Split(string text)
    {
        int end = text.IndexOf(' ', StringComparison.Ordinal);
        return end < 0 ? (text, string.Empty) : (text[..end].TrimEnd(','), text[(end + 1)..]);
    }

    private static void Count(CommandTerminal terminal, long count, string what, Tone tone)
    {
        if (count > 0)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{count,8}  {what}"), tone);
        }
    }

    private static void WriteJson(Utf8JsonWriter json, ReplayReport report)
    {
        json.WriteBoolean("loosens", report.Loosens);
        json.WriteNumber("calls", report.Calls);
        json.WriteStartObject("changes");
        foreach (ReplayChange change in Enum.GetValues<ReplayChange>())
        {
            json.WriteNumber(NameOf(change), report[change]);
        }

        json.WriteEndObject();
        json.WriteNumber("judgedInPart", report.InPart);
        json.WriteNumber("ungrouped", report.Ungrouped);
        json.WriteNumber("ignored", report.Ignored);
        json.WriteNumber("several", report.Several);
        json.WriteNumber("continued", report.Continued);
        json.WriteStartArray("groups");
        foreach ((ReplayGroup group, long count, string example) in report.Groups)
        {
            json.WriteStartObject();
            json.WriteString("change", NameOf(group.Change));
            json.WriteString("server", group.Server);
            json.WriteString("target", group.What);
            json.WriteString("was", group.Was);
            json.WriteString("now", group.Now);
            json.WriteString("why", group.Why);
            json.WriteNumber("calls", count);
            json.WriteString("example", example);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string NameOf(ReplayChange change) => change switch
    {
        ReplayChange.NewlyPasses => "newlyPasses",
        ReplayChange.MayNewlyPass => "mayNewlyPass",
        ReplayChange.NewlyAskedInsteadOfDenied => "askedInsteadOfDenied",
        ReplayChange.CannotBeJudged => "cannotBeJudged",
        ReplayChange.NewlyAsked => "newlyAsked",
        ReplayChange.NewlyDenied => "newlyDenied",
        _ => "same",
    };

    private static string WordOf(ReplayChange change) => change switch
    {
        ReplayChange.NewlyPasses => "newly passes",
        ReplayChange.MayNewlyPass => "may pass",
        ReplayChange.NewlyAskedInsteadOfDenied or ReplayChange.NewlyAsked => "newly asks",
        ReplayChange.CannotBeJudged => "unknown",
        ReplayChange.NewlyDenied => "newly denied",
        _ => "same",
    };

    private static Tone ToneOf(ReplayChange change) => change switch
    {
        ReplayChange.NewlyPasses or ReplayChange.MayNewlyPass => Tone.Bad,
        ReplayChange.NewlyAskedInsteadOfDenied or ReplayChange.CannotBeJudged => Tone.Caution,
        _ => Tone.Plain,
    };
}
