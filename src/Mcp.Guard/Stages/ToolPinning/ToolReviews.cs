using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// Definitions that wait for a person. A decision names exactly one definition: an id that was shown before the tool changed again decides nothing.
/// </summary>
internal sealed class ToolReviews(PinRegister pins, AuditTrail audit, IPolicySource policy, ConnectionRegistry connections, TimeProvider time) : IToolReviews
{
    // Of all servers; where more wait, the ones beyond stay hidden or ask, and are offered for review when others were decided.
    private const int MaxWaiting = 10_000;
    private const int MaxRefused = 10_000;
    private const int MaxReviewer = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Server, string Tool), Waiting> _waiting = [];
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    public IReadOnlyList<ToolReview> List(string? serverId = null)
    {
        Waiting[] all;
        lock (_gate)
        {
            all = [.. _waiting.Values];
        }

        return
        [
            .. all.Where(waiting => serverId is null || string.Equals(waiting.Server.Id, serverId, StringComparison.Ordinal))
                .OrderBy(static waiting => waiting.Server.Id, StringComparer.Ordinal)
                .ThenBy(static waiting => waiting.Tool, StringComparer.Ordinal)
                .Select(static waiting => waiting.Review),
        ];
    }

    /// <summary>Takes what a connection listed: what is not as it was approved waits, what is waits no longer.</summary>
    public void Take(ConnectionState connection, ServerSettings settings, IEnumerable<ToolEntry> entries)
    {
        foreach (ToolEntry entry in entries)
        {
            string name = entry.Definition.Name;
            if (entry.Pin is ToolPinState.Pinned or ToolPinState.Refused || !entry.Name.IsUsable || settings.ForTool(name).IsDenied)
            {
                Forget(connection.ServerKey, name);
            }
            else
            {
                Add(connection, name, entry.Definition.Fingerprint, (id, seen) => ReviewOf(id, seen, connection, entry));
            }
        }
    }

    /// <summary>Takes the instructions of a server that are not the pinned ones.</summary>
    public void TakeInstructions(ConnectionState connection, bool isPinnedByPolicy, string instructions, string? before)
    {
        string fingerprint = ToolFingerprint.OfInstructions(instructions)!;
        string after = PinRegister.AsJson(instructions);
        Add(connection, PinRegister.InstructionsKey, fingerprint, (id, seen) =>
        {
            ToolDifferences differences = ToolComparison.DifferencesOfTexts(before, after);
            return new ToolReview
            {
                Id = id,
                ServerId = connection.Server.Id,
                ToolName = "instructions",
                Kind = ToolReviewKind.Instructions,
                CanApprove = !isPinnedByPolicy,
                Changes = differences.Changes,
                OmittedChanges = differences.Omitted,
                Before = before,
                After = after,
                Fingerprint = fingerprint,
                SeenAt = seen,
            };
        }, instructions);
    }

    /// <summary>Whether a person refused exactly this definition since the start.</summary>
    public bool IsRefused(ConnectionState connection, McpToolDefinition definition)
    {
        lock (_gate)
        {
            return _refused.Count > 0 && _refused.Contains(IdOf(connection.ServerKey, definition.Name, definition.Fingerprint));
        }
    }

    /// <summary>Nothing of this name waits any longer.</summary>
    public void Forget(string serverKey, string tool)
    {
        lock (_gate)
        {
            _waiting.Remove((serverKey, tool));
        }
    }

    public async ValueTask<bool> ApproveAsync(string reviewId, string reviewedBy, CancellationToken ct = default)
    {
        if (Find(reviewId, reviewedBy) is not { } waiting || !waiting.Review.CanApprove || IsPinnedByPolicy(waiting.Server))
        {
            return false;
        }

        await RecordAsync(waiting, "approve", reviewedBy, ct).ConfigureAwait(false);
        bool pinned = waiting.Instructions is { } instructions
            ? await pins.ApproveInstructionsAsync(waiting.Server, instructions, ct).ConfigureAwait(false)
            : await pins.ApproveAsync(waiting.Server, waiting.Tool, waiting.Review.Fingerprint, waiting.Review.After, ct).ConfigureAwait(false);
        if (pinned)
        {
            Settle(waiting);
        }

        return pinned;
    }

    public async ValueTask<bool> RefuseAsync(string reviewId, string reviewedBy, CancellationToken ct = default)
    {
        if (Find(reviewId, reviewedBy) is not { } waiting)
        {
            return false;
        }

        await RecordAsync(waiting, "refuse", reviewedBy, ct).ConfigureAwait(false);

        // Lost pins stay lost: a refusal must not turn tools that are denied into new ones that ask.
        if (waiting.Review is { Kind: ToolReviewKind.New or ToolReviewKind.Changed } && !IsPinnedByPolicy(waiting.Server)
            && !await pins.RefuseAsync(waiting.Server, waiting.Tool, waiting.Review.Fingerprint, ct).ConfigureAwait(false))
        {
            return false;
        }

        lock (_gate)
        {
            if (_refused.Count >= MaxRefused)
            {
                return false; // each is kept where it can be; what cannot must not be forgotten
            }

            _refused.Add(waiting.Review.Id);
        }

        Settle(waiting);
        return true;
    }

    /// <summary>Pins a definition that a person agreed to in a prompt; that answer is on record already.</summary>
    public async ValueTask<bool> AgreeAsync(ConnectionState connection, ToolEntry entry, CancellationToken ct)
    {
        if (IsPinnedByPolicy(connection.Server)
            || !await pins.ApproveAsync(connection.Server, entry.Definition.Name, entry.Definition.Fingerprint, ToolFingerprint.CanonicalText(entry.Definition.Definition), ct).ConfigureAwait(false))
        {
            return false;
        }

        Forget(connection.ServerKey, entry.Definition.Name);
        connections.RefreshTools(connection.Server);
        connection.Tools.MarkStale();
        return true;
    }

    private static ToolReview ReviewOf(string id, DateTimeOffset seen, ConnectionState connection, ToolEntry entry)
    {
        ToolDifferences differences = ToolComparison.Differences(entry.StoredPin?.Definition, entry.Definition.Definition);
        return new ToolReview
        {
            Id = id,
            ServerId = connection.Server.Id,
            ToolName = ConsentDisplay.Name(entry.Definition.Name),
            Kind = entry.Pin switch
            {
                ToolPinState.New => ToolReviewKind.New,
                ToolPinState.Changed => ToolReviewKind.Changed,
                _ => ToolReviewKind.Unpinned,
            },
            CanApprove = !entry.IsPinnedByPolicy,
            Changes = differences.Changes,
            OmittedChanges = differences.Omitted,
            Before = entry.StoredPin?.Definition,
            After = ToolFingerprint.CanonicalText(entry.Definition.Definition)!,
            Fingerprint = entry.Definition.Fingerprint,
            SeenAt = seen,
        };
    }

    private static string IdOf(string serverKey, string tool, string fingerprint)
    {
        string all = string.Create(CultureInfo.InvariantCulture, $"{serverKey.Length}:{serverKey}{tool.Length}:{tool}{fingerprint}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(all)).AsSpan(0, 16));
    }

    private void Add(ConnectionState connection, string tool, string fingerprint, Func<string, DateTimeOffset, ToolReview> create, string? instructions = null)
    {
        string id = IdOf(connection.ServerKey, tool, fingerprint);
        (string, string) key = (connection.ServerKey, tool);
        DateTimeOffset seen = time.GetUtcNow();
        lock (_gate)
        {
            if (_refused.Contains(id))
            {
                _waiting.Remove(key);
                return;
            }

            if (_waiting.TryGetValue(key, out Waiting? open))
            {
                seen = string.Equals(open.Review.Id, id, StringComparison.Ordinal) ? open.Review.SeenAt : seen;
            }
            else if (_waiting.Count >= MaxWaiting)
            {
                return;
            }
        }

        var waiting = new Waiting(create(id, seen), connection.Server, tool, instructions);
        lock (_gate)
        {
            _waiting[key] = waiting;
        }
    }

    private Waiting? Find(string reviewId, string reviewedBy)
    {
        ArgumentNullException.ThrowIfNull(reviewId);
        ArgumentException.ThrowIfNullOrWhiteSpace(reviewedBy);
        lock (_gate)
        {
            return _waiting.Values.FirstOrDefault(waiting => string.Equals(waiting.Review.Id, reviewId, StringComparison.Ordinal));
        }
    }

    private bool IsPinnedByPolicy(McpServerIdentity server) =>
        !policy.Current.Servers.TryGetValue(server.Id, out ServerSettings? settings) || settings.Pins.Count > 0;

    private void Settle(Waiting waiting)
    {
        lock (_gate)
        {
            var key = (waiting.Server.ToString(), waiting.Tool);
            if (_waiting.TryGetValue(key, out Waiting? open) && string.Equals(open.Review.Id, waiting.Review.Id, StringComparison.Ordinal))
            {
                _waiting.Remove(key);
            }
        }

        connections.RefreshTools(waiting.Server);
    }

    private async ValueTask RecordAsync(Waiting waiting, string decision, string reviewedBy, CancellationToken ct)
    {
        try
        {
            await audit.WriteRequiredEventAsync(
                new AuditRecord
                {
                    Kind = AuditKind.Catalog,
                    Time = time.GetUtcNow(),
                    DecisionId = DecisionIds.Next(time),
                    Server = waiting.Server.Id,
                    Target = waiting.Tool,
                    Fingerprint = waiting.Review.Fingerprint,
                    Decision = decision,
                    Reason = waiting.Review.Kind.ToString(),
                    AnsweredBy = reviewedBy.Length > MaxReviewer ? reviewedBy[..MaxReviewer] : reviewedBy,
                    PolicyRevision = policy.Current.Revision,
                },
                ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            throw new McpGuardException(GuardDenialCodes.AuditUnavailable, string.Empty, retryAfter: null);
        }
    }

    private sealed record Waiting(ToolReview Review, McpServerIdentity Server, string Tool, string? Instructions);
}
