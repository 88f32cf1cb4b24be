using System.Collections.Concurrent;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// Puts each tool on record when its definition is first seen or stands otherwise than it did: the definition as the policy lets results be recorded, its
/// fingerprint, how it compares with the pins, what was found in it. A list that tells nothing else than the one before writes nothing.
/// </summary>
internal sealed class CatalogRecords
{
    /// <summary>Tools whose last record is remembered; when there are more it starts anew, which costs repeated records and loses none.</summary>
    private const int MaxRemembered = 20_000;

    private const string Known = "known";
    private const string New = "new";
    private const string Changed = "changed";
    private const string Refused = "refused";
    private const string OutOfReach = "pins-out-of-reach";

    private readonly ConcurrentDictionary<(string Server, string Tool), Recorded> _last = new();

    /// <summary>The state that the decision of a record tells, of a listed tool or of a review; null where it tells none.</summary>
    public static ToolPinState? StateOf(string decision) => decision switch
    {
        Known or "approve" => ToolPinState.Pinned,
        New => ToolPinState.New,
        Changed => ToolPinState.Changed,
        Refused or "refuse" => ToolPinState.Refused,
        OutOfReach => ToolPinState.Unavailable,
        _ => null,
    };

    /// <summary>True where the decision is that of a tool in a list.</summary>
    public static bool IsListing(string decision) => decision is Known or New or Changed or Refused or OutOfReach;

    /// <summary>Records the tools of one page, all at the same time; the list goes on when they are on record. True where there was any.</summary>
    public async ValueTask<bool> WriteAsync(RequestContext list, IEnumerable<(ToolEntry Entry, bool IsShown)> page, CancellationToken ct)
    {
        List<Task>? writes = null;
        foreach ((ToolEntry entry, bool isShown) in page)
        {
            var standing = new Standing(entry.Definition.Fingerprint, entry.Pin, isShown, entry.Findings);
            var key = (list.Connection.Server.Id, entry.Definition.Name);
            if (Find(key, standing) is not { UnderWay: null })
            {
                (writes ??= []).Add(WriteAsync(list, entry, isShown, key, standing, ct));
            }
        }

        if (writes is null)
        {
            return false;
        }

        await Task.WhenAll(writes).ConfigureAwait(false);
        return true;
    }

    private async Task WriteAsync(RequestContext list, ToolEntry entry, bool isShown, (string Server, string Tool) key, Standing standing, CancellationToken ct)
    {
        // Where another list is about to put the same on record, this one is not delivered before; and writes it where that one did not.
        while (Find(key, standing) is { } other)
        {
            if (other.UnderWay is not { } underWay)
            {
                return;
            }

            await underWay.Task.WaitAsync(ct).ConfigureAwait(false);
        }

        if (_last.Count >= MaxRemembered)
        {
            _last.Clear();
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var recorded = new Recorded(standing) { UnderWay = done };
        _last[key] = recorded;
        bool isWritten = false;
        try
        {
            isWritten = await list.Connection.Runtime.Pipeline.Audit.TryWriteEventAsync(RecordOf(list, entry, isShown), ct).ConfigureAwait(false);
        }
        finally
        {
            if (!isWritten)
            {
                // The next list tries again: where this one was given up, the audit failed, or the tool was only counted in a flood.
                _last.TryRemove(KeyValuePair.Create(key, recorded));
            }

            recorded.UnderWay = null;
            done.SetResult();
        }
    }

    private Recorded? Find((string Server, string Tool) key, Standing standing) =>
        _last.TryGetValue(key, out Recorded? last) && last.Standing == standing ? last : null;

    private static AuditRecord RecordOf(RequestContext list, ToolEntry entry, bool isShown)
    {
        ConnectionState connection = list.Connection;
        ServerSettings settings = list.Settings!;
        (string? code, string reason) = isShown ? (null, "shown to the model") : WhyHidden(settings, entry);
        IReadOnlyList<string> flags = ContentFlagNames.Of((ContentFlags)(int)entry.Findings);
        return new()
        {
            Kind = AuditKind.Catalog,
            Time = connection.Runtime.Time.GetUtcNow(),
            DecisionId = list.DecisionId,
            SessionId = connection.ConnectionId,
            Server = connection.Server.Id,
            Method = MethodTable.ToolsList,
            Target = entry.Definition.Name,
            Fingerprint = entry.Definition.Fingerprint,
            Decision = entry.Pin switch
            {
                ToolPinState.Pinned => Known,
                ToolPinState.New => New,
                ToolPinState.Changed => Changed,
                ToolPinState.Refused => Refused,
                _ => OutOfReach,
            },
            Code = code,
            Reason = flags.Count == 0 ? reason : $"{reason}; flagged {string.Join(", ", flags)}",
            Result = connection.Runtime.Pipeline.Audit.Recordable(entry.Definition.Definition, list.Policy.Audit.Results),
            PolicyRevision = list.PolicyRevision,
            ProtocolVersion = connection.ProtocolVersion,
        };
    }

    /// <summary>The code that a call of the tool would be denied with, where it is known by now.</summary>
    private static (string? Code, string Reason) WhyHidden(ServerSettings settings, ToolEntry entry)
    {
        if (!entry.Name.IsUsable)
        {
            return (entry.Name.Fault is ToolNameFault.Length or ToolNameFault.Characters ? GuardDenialCodes.ToolUnknown : GuardDenialCodes.NameCollision, $"hidden: its name is refused ({entry.Name.Fault})");
        }

        if (entry.Pin != ToolPinState.Pinned && entry.Pin != ToolPinState.New)
        {
            return (GuardDenialCodes.ToolChanged, "hidden: it is not as it was approved");
        }

        if (!entry.InputSchema.IsCompiled || entry.OutputSchema is { IsCompiled: false })
        {
            return (GuardDenialCodes.SchemaRefused, $"hidden: its schema is refused ({(entry.InputSchema.Rejection ?? entry.OutputSchema!.Value.Rejection)!.Code})");
        }

        return settings.ForTool(entry.Definition.Name).IsDenied || CatalogStage.ActionOf(settings, entry.Findings) == FlagAction.Deny
            ? (GuardDenialCodes.RuleDenied, "hidden: the policy denies it")
            : (null, "hidden: a person refused it, or its text cannot be shown");
    }

    private readonly record struct Standing(string Fingerprint, ToolPinState Pin, bool IsShown, ContentFindings Findings);

    /// <summary>What was last put on record of a tool, or is about to be.</summary>
    private sealed class Recorded(Standing standing)
    {
        private volatile TaskCompletionSource? _underWay;

        public Standing Standing => standing;

        /// <summary>Ends when the write has, whether or not it succeeded; null where it is on record.</summary>
        public TaskCompletionSource? UnderWay
        {
            get => _underWay;
            set => _underWay = value;
        }
    }
}
