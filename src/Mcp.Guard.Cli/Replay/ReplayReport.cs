using Mcp.Guard.Audit;

namespace Mcp.Guard.Cli.Replay;

/// <summary>What a replay has found, counted. It holds so many groups and no calls.</summary>
internal sealed class ReplayReport
{
    /// <summary>Groups that are told apart; the calls of others are counted by their change only.</summary>
    public const int MaxGroups = 1_000;

    private readonly Dictionary<ReplayGroup, (long Count, string Example)> _groups = [];
    private readonly long[] _byChange = new long[(int)ReplayChange.Same + 1];

    /// <summary>Calls that were judged or could not be.</summary>
    public long Calls { get; private set; }

    /// <summary>Calls of which the record holds less than was judged, and that got a verdict all the same.</summary>
    public long InPart { get; private set; }

    /// <summary>Calls in no group for want of room.</summary>
    public long Ungrouped { get; private set; }

    /// <summary>Calls left out because of their code.</summary>
    public long Ignored { get; set; }

    /// <summary>Counts of different events that were written as one record: what they were is not known.</summary>
    public long Several { get; set; }

    /// <summary>Calls that went on after the server asked back: they were judged with their first request.</summary>
    public long Continued { get; set; }

    /// <summary>True where a call newly passes, or that cannot be ruled out.</summary>
    public bool Loosens => this[ReplayChange.NewlyPasses] > 0 || this[ReplayChange.MayNewlyPass] > 0;

    public long this[ReplayChange change] => _byChange[(int)change];

    /// <summary>The groups, the worst change and the largest first.</summary>
    public IEnumerable<(ReplayGroup Group, long Count, string Example)> Groups =>
        _groups.Select(static pair => (pair.Key, pair.Value.Count, pair.Value.Example))
            .OrderBy(static group => group.Key.Change)
            .ThenByDescending(static group => group.Count)
            .ThenBy(static group => group.Key.Server, StringComparer.Ordinal)
            .ThenBy(static group => group.Key.What, StringComparer.Ordinal);

    public void Add(RecordedCall call, in ReplayVerdict verdict)
    {
        ReplayChange change = ChangeOf(call.Past, verdict.Decision);
        Calls += call.Count;
        _byChange[(int)change] += call.Count;
        InPart += verdict is { Missing: not null, Decision: not ReplayDecision.Unknown } ? call.Count : 0;
        var group = new ReplayGroup(change, call.Server, call.Target ?? call.Method, WordOf(call), WordOf(verdict), WhyOf(verdict));
        if (_groups.TryGetValue(group, out (long Count, string Example) known))
        {
            _groups[group] = (known.Count + call.Count, known.Example);
        }
        else if (_groups.Count < MaxGroups)
        {
            _groups.Add(group, (call.Count, call.DecisionId));
        }
        else
        {
            Ungrouped += call.Count;
        }
    }

    /// <summary>Compares the past with what the draft says. Not to know counts as the worst that it can be.</summary>
    public static ReplayChange ChangeOf(PastVerdict past, ReplayDecision now) => (past, now) switch
    {
        (PastVerdict.Passed, ReplayDecision.Allow) or (PastVerdict.Asked, ReplayDecision.Ask) or (PastVerdict.Denied, ReplayDecision.Deny) => ReplayChange.Same,
        (_, ReplayDecision.Allow) => ReplayChange.NewlyPasses,
        (PastVerdict.Passed, ReplayDecision.Unknown) => ReplayChange.CannotBeJudged,
        (_, ReplayDecision.Unknown) => ReplayChange.MayNewlyPass,
        (PastVerdict.Denied, ReplayDecision.Ask) => ReplayChange.NewlyAskedInsteadOfDenied,
        (_, ReplayDecision.Ask) => ReplayChange.NewlyAsked,
        _ => ReplayChange.NewlyDenied,
    };

    private static string WordOf(RecordedCall call) => call.Past switch
    {
        PastVerdict.Asked when call.PassedByDryRun => "would-ask, passed by a dry run",
        PastVerdict.Denied when call.PassedByDryRun => $"would-deny {call.PastCode}, passed by a dry run",
        PastVerdict.Passed => "passed",
        PastVerdict.Asked => call.PastCode.Length == 0 ? "asked, allowed" : $"asked, {call.PastCode}",
        _ => $"denied {call.PastCode}",
    };

    private static string WordOf(in ReplayVerdict verdict) => verdict.Decision switch
    {
        ReplayDecision.Allow => "passes",
        ReplayDecision.Ask => "asked",
        ReplayDecision.Deny => $"denied {verdict.Code}",
        _ => "unknown",
    };

    private static string WhyOf(in ReplayVerdict verdict)
    {
        string rules = verdict.Rules.Length == 0 ? string.Empty : $"rule {AuditContentText.Escape(verdict.Rules, 80)}";
        return verdict.Missing is not { } missing ? rules : rules.Length == 0 ? missing : $"{rules}; {missing}";
    }
}
