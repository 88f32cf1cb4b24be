using System.Globalization;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Audit;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Cli.Replay;

/// <summary>
/// Reads the calls of a log in their order and gives each to a judge: also those that are not selected, since they have used up rates and budgets of those that are.
/// </summary>
/// <param name="folder">The folder of the log.</param>
/// <param name="selection">Which calls are told about.</param>
/// <param name="ignored">Denial codes whose calls are left out.</param>
internal sealed class RecordedCalls(string folder, AuditSelection selection, IReadOnlySet<string> ignored)
{
    private readonly AuditFileReader _log = new(folder);
    private readonly RecordedArguments _arguments = new(folder);
    private long _records;

    /// <summary>The definitions that the log has told so far.</summary>
    public RecordedTools Tools { get; } = new();

    /// <summary>Lines of the log that are no records.</summary>
    public long Unreadable => _log.Unreadable;

    /// <summary>True where the log has lines, and none of those up to the selected time is a record: nothing can be said of it.</summary>
    public bool IsUnreadable => _records == 0 && _log.Unreadable > 0;

    /// <summary>True where whole arguments can be told from redacted ones.</summary>
    public bool CanTellWhole => _arguments.HasKey;

    public async IAsyncEnumerable<RecordedCall> ReadAsync(ReplayReport report, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        // What servers listed before the selected time still tells what their tools are.
        await foreach (AuditEntry entry in _log.ReadAsync(new AuditQuery { To = selection.Query.To }, ct).ConfigureAwait(false))
        {
            _records++;
            if (entry.Kind == AuditKind.Catalog)
            {
                Tools.Take(entry.ToRecord());
            }
            else if (entry.Kind is AuditKind.Intent or AuditKind.Denial
                && Take(entry, report, AuditFileReader.Matches(entry, selection.Query) && IsInTime(entry) && Includes(entry)) is { } call)
            {
                yield return call;
            }
        }
    }

    // What a dry run let pass was denied or asked about, as far as the policy of then goes.
    private bool Includes(AuditEntry entry) =>
        selection.Includes(entry) || (selection.DeniedOnly && entry.Kind == AuditKind.Intent && DryRunPasses(entry.ToRecord()).Any() && (selection with { DeniedOnly = false }).Includes(entry));

    private bool IsInTime(AuditEntry entry) => selection.Query.From is not { } from || entry.Time >= from;

    private RecordedCall? Take(AuditEntry entry, ReplayReport report, bool selected)
    {
        AuditRecord record = entry.ToRecord();
        if (string.Equals(record.Decision, "several", StringComparison.Ordinal) || record.Method is null || record.Server is null)
        {
            report.Several += selected ? record.Count : 0;
            return null;
        }

        if (entry.Kind == AuditKind.Intent && string.Equals(record.Decision, "continue", StringComparison.Ordinal))
        {
            report.Continued += selected ? 1 : 0;
            return null;
        }

        if (record.Decision is "would-deny" or "would-ask")
        {
            return null; // of a dry run: the call goes on, and its intent or its denial tells how it ended and names this
        }

        (string Stage, string Code)[] passed = entry.Kind == AuditKind.Intent ? [.. DryRunPasses(record)] : [];
        (string Stage, string Code) wouldDeny = passed.FirstOrDefault(static pass => IsDenial(pass.Code));
        bool denied = entry.Kind == AuditKind.Denial || wouldDeny.Code is not null;
        string? pastCode = wouldDeny.Code ?? record.Code;
        string? pastStage = wouldDeny.Stage ?? record.Stage;
        if (denied && pastCode is not null && ignored.Contains(pastCode))
        {
            report.Ignored += selected ? record.Count : 0;
            return null;
        }

        string? missing = _arguments.TryRead(record, out System.Text.Json.JsonElement arguments);
        return new()
        {
            DecisionId = record.DecisionId,
            IsSelected = selected,
            Time = TimeOf(record),
            Server = record.Server,
            Method = record.Method,
            Target = IsWhole(entry, record) ? record.Target : null,
            Caller = CallerOf(record),
            ProtocolVersion = record.ProtocolVersion,
            Fingerprint = record.Fingerprint,
            Arguments = arguments,
            MissingArguments = missing,
            Past = denied
                ? string.Equals(pastStage, GuardStages.Consent, StringComparison.Ordinal) ? PastVerdict.Asked : PastVerdict.Denied
                : record.Code is null && passed.Length == 0 ? PastVerdict.Passed : PastVerdict.Asked,
            PastCode = denied ? pastCode ?? string.Empty : string.Empty,
            PastStage = denied ? pastStage ?? string.Empty : string.Empty,
            PassedByDryRun = passed.Length > 0,
            Count = Math.Max(1, record.Count),
        };
    }

    /// <summary>What a dry run let the call of an intent pass: stage and code of each denial and question; empty for a guard in force.</summary>
    private static IEnumerable<(string Stage, string Code)> DryRunPasses(AuditRecord record)
    {
        if (record is not { PolicyRevision: { } revision, Reason: { } reason }
            || !revision.StartsWith(DryRun.Mark, StringComparison.Ordinal) || !reason.StartsWith(DryRun.PassedReason, StringComparison.Ordinal))
        {
            yield break;
        }

        foreach (string pass in reason[DryRun.PassedReason.Length..].Split(", "))
        {
            int colon = pass.IndexOf(':', StringComparison.Ordinal);
            yield return colon < 0 ? (string.Empty, pass) : (pass[..colon], pass[(colon + 1)..]);
        }
    }

    /// <summary>Whether a dry run writes the code for a denial; the others are questions.</summary>
    private static bool IsDenial(string code) =>
        code is GuardDenialCodes.RuleDenied or GuardDenialCodes.ArgumentsInvalid or GuardDenialCodes.BudgetSpent or GuardDenialCodes.RateLimited;

    /// <summary>Whether the target is what was asked for: a long one is cut, and credentials are taken out of what is no listed tool.</summary>
    private static bool IsWhole(AuditEntry entry, AuditRecord record) =>
        record.Target?.Contains("[redacted", StringComparison.OrdinalIgnoreCase) != true
        && !(entry.Json.TryGetProperty("notes", out System.Text.Json.JsonElement notes) && notes.ValueKind == System.Text.Json.JsonValueKind.Object && notes.TryGetProperty("target", out _));

    private static GuardCaller? CallerOf(AuditRecord record)
    {
        if (string.IsNullOrWhiteSpace(record.UserId) || string.IsNullOrWhiteSpace(record.SessionId) || record.UserId.Length > 256 || record.SessionId.Length > 256)
        {
            return null;
        }

        var connection = GuardCaller.ForConnection(record.SessionId);
        return string.Equals(connection.UserId, record.UserId, StringComparison.Ordinal) ? connection : new GuardCaller(record.UserId, record.SessionId);
    }

    /// <summary>When a call came: a record is written later, after a person's answer even minutes later. The id is a UUID of version 7, whose first 48 bits are the time.</summary>
    private static DateTimeOffset TimeOf(AuditRecord record)
    {
        string id = record.DecisionId;
        return record.Count == 1
            && id.Length == 36 && id[14] == '7'
            && long.TryParse(string.Concat(id.AsSpan(0, 8), id.AsSpan(9, 4)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long milliseconds)
            && milliseconds < 253_402_300_799_000
            && DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) is var came && came <= record.Time
            ? came
            : record.FirstTime ?? record.Time;
    }
}
