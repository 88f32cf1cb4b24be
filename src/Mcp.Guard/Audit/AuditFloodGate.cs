namespace Mcp.Guard.Audit;

/// <summary>
/// Stands before the required sink. Denials and what a server sends unasked pass singly up to a quota for each server and caller; beyond it they are
/// counted, by kind, method, code, stage and target, and written as one record with the first time, the count and the last event. Intents, consents and
/// outcomes always pass.
/// </summary>
internal sealed class AuditFloodGate : IAuditSink, IAsyncDisposable
{
    private const int MaxRetries = 4_096;

    private readonly IAuditSink _inner;
    private readonly AuditFloodOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<SourceKey, Source> _sources = [];
    private readonly Source _others = new();
    private readonly ITimer _timer;
    private List<AuditRecord> _unwritten = [];
    private Task _emission = Task.CompletedTask;
    private long _lost;

    /// <param name="inner">Receives what passes, and the counts.</param>
    /// <param name="options">Quotas.</param>
    /// <param name="time">The clock.</param>
    public AuditFloodGate(IAuditSink inner, AuditFloodOptions options, TimeProvider time)
    {
        _inner = inner;
        _options = options;
        _time = time;
        _timer = time.CreateTimer(static gate => ((AuditFloodGate)gate!).EndWindow(), this, options.Window, options.Window);
    }

    /// <summary>Counts that could not be written and were given up, in events.</summary>
    public long Lost => Volatile.Read(ref _lost);

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => WriteAsync(record, out _, ct);

    /// <summary>The same, and whether the record was only counted: what it tells is then nowhere.</summary>
    public ValueTask WriteAsync(AuditRecord record, out bool isCounted, CancellationToken ct)
    {
        isCounted = false;
        if (!CanFlood(record))
        {
            return _inner.WriteAsync(record, ct);
        }

        // Hash and digest are made here, so that nobody else waits for them.
        var from = new SourceKey(record.Server, record.UserId, record.SessionId);
        isCounted = !Passes(record, in from);
        if (!isCounted)
        {
            return _inner.WriteAsync(record, ct);
        }

        string? digest = record.ArgumentsDigest;
        lock (_gate)
        {
            SourceOf(in from).Count(record, digest, _options.DistinctEvents);
        }

        return default;
    }

    /// <summary>Ends the window now and waits until its counts are written.</summary>
    public Task FlushAsync()
    {
        EndWindow();
        lock (_gate)
        {
            return _emission;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await FlushAsync();
    }

    /// <summary>
    /// What a server or a denied caller can cause in any number. A denial because the audit failed is not: its call may have an open intent, which that
    /// record closes.
    /// </summary>
    private static bool CanFlood(AuditRecord record) => record.Kind switch
    {
        AuditKind.ServerMessage => true,
        AuditKind.Denial => !string.Equals(record.Code, GuardDenialCodes.AuditUnavailable, StringComparison.Ordinal) && !string.Equals(record.Code, GuardDenialCodes.Timeout, StringComparison.Ordinal),
        // What a server lists; reviews, which people decide, name no method.
        AuditKind.Catalog => record.Method is not null,
        AuditKind.Connection => string.Equals(record.Decision, "deny", StringComparison.Ordinal),
        _ => false,
    };

    private bool Passes(AuditRecord record, in SourceKey from)
    {
        lock (_gate)
        {
            Source source = SourceOf(in from);
            return record.Kind == AuditKind.Catalog ? ++source.Listed <= _options.CatalogQuota : ++source.Seen <= _options.Quota;
        }
    }

    private Source SourceOf(in SourceKey key)
    {
        if (_sources.TryGetValue(key, out Source? source))
        {
            return source;
        }

        if (_sources.Count >= _options.Sources)
        {
            return _others;
        }

        source = new();
        _sources.Add(key, source);
        return source;
    }

    private void EndWindow()
    {
        lock (_gate)
        {
            List<AuditRecord> counts = _unwritten;
            _unwritten = [];
            foreach (Source source in _sources.Values)
            {
                source.Take(counts);
            }

            _others.Take(counts);
            _sources.Clear();
            if (counts.Count > 0)
            {
                _emission = EmitAsync(_emission, counts);
            }
        }
    }

    private async Task EmitAsync(Task before, List<AuditRecord> counts)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        foreach (AuditRecord count in counts)
        {
            try
            {
                await _inner.WriteAsync(count, CancellationToken.None);
            }
            catch (Exception)
            {
                Keep(count);
            }
        }
    }

    /// <summary>The next window tries again.</summary>
    private void Keep(AuditRecord count)
    {
        lock (_gate)
        {
            if (_unwritten.Count < MaxRetries)
            {
                _unwritten.Add(count);
                return;
            }
        }

        Interlocked.Add(ref _lost, count.Count);
    }

    /// <summary>One server and caller, hashed when it is made and not under the lock.</summary>
    private readonly struct SourceKey(string? server, string? user, string? session) : IEquatable<SourceKey>
    {
        private readonly string? _server = server;
        private readonly string? _user = user;
        private readonly string? _session = session;
        private readonly int _hash = HashCode.Combine(server, user, session);

        public bool Equals(SourceKey other) =>
            _hash == other._hash
            && string.Equals(_session, other._session, StringComparison.Ordinal)
            && string.Equals(_user, other._user, StringComparison.Ordinal)
            && string.Equals(_server, other._server, StringComparison.Ordinal);

        public override bool Equals(object? obj) => obj is SourceKey other && Equals(other);

        public override int GetHashCode() => _hash;
    }

    /// <summary>What one server and caller caused in the current window.</summary>
    private sealed class Source
    {
        private Dictionary<Event, Tally>? _tallies;
        private Tally? _otherDenials;
        private Tally? _otherMessages;

        public long Seen { get; set; }

        /// <summary>Tools and lists of them among the events.</summary>
        public long Listed { get; set; }

        public void Count(AuditRecord record, string? digest, int distinct)
        {
            _tallies ??= [];
            var happened = Event.Of(record);
            if (_tallies.TryGetValue(happened, out Tally? tally))
            {
                tally.Add(record, digest);
            }
            else if (_tallies.Count < distinct)
            {
                _tallies.Add(happened, new(record, digest, happened));
            }
            else
            {
                ref Tally? rest = ref record.Kind == AuditKind.ServerMessage ? ref _otherMessages : ref _otherDenials;
                if (rest is null)
                {
                    rest = new(record, digest, happened: null);
                }
                else
                {
                    rest.Add(record, digest);
                }
            }
        }

        public void Take(List<AuditRecord> counts)
        {
            if (_tallies is not null)
            {
                foreach (Tally tally in _tallies.Values)
                {
                    counts.Add(tally.ToRecord());
                }
            }

            if (_otherDenials is not null)
            {
                counts.Add(_otherDenials.ToRecord());
            }

            if (_otherMessages is not null)
            {
                counts.Add(_otherMessages.ToRecord());
            }

            _tallies = null;
            _otherDenials = null;
            _otherMessages = null;
            Seen = 0;
            Listed = 0;
        }
    }

    /// <summary>What counts as the same event. Texts are cut: servers and callers choose their length, and a count outlives their message.</summary>
    private sealed record Event(AuditKind Kind, string? Method, string? Decision, string? Code, string? Stage, string? Rule, string? Target)
    {
        private const int MaxChars = 256;

        public static Event Of(AuditRecord record) => new(
            record.Kind, Bounded(record.Method), Bounded(record.Decision), Bounded(record.Code), Bounded(record.Stage), Bounded(record.Rule), Bounded(record.Target));

        public static string? Bounded(string? text) => text is { Length: > MaxChars } ? text[..MaxChars] : text;
    }

    /// <summary>Several events as one record. Arguments and results are not kept: a count tells that and how often, not what.</summary>
    private sealed class Tally
    {
        private readonly Event? _happened;
        private readonly AuditKind _kind;
        private readonly DateTimeOffset _first;
        private readonly string? _user;
        private readonly string? _session;
        private readonly string? _server;
        private DateTimeOffset _last;
        private string _lastId;
        private string? _lastReason;
        private string? _lastDigest;
        private string? _policy;
        private string? _protocol;
        private long _count;

        /// <param name="first">The first event.</param>
        /// <param name="digest">The digest of its arguments.</param>
        /// <param name="happened">What all of them are; null where they differ.</param>
        public Tally(AuditRecord first, string? digest, Event? happened)
        {
            _happened = happened;
            _kind = first.Kind;
            _first = first.FirstTime ?? first.Time;
            _user = first.UserId;
            _session = first.SessionId;
            _server = first.Server;
            _lastId = string.Empty;
            Add(first, digest);
        }

        public void Add(AuditRecord record, string? digest)
        {
            _last = record.Time;
            _lastId = record.DecisionId;
            _lastReason = Event.Bounded(record.Reason);
            _lastDigest = digest;
            _policy = record.PolicyRevision;
            _protocol = record.ProtocolVersion;
            _count += record.Count;
        }

        public AuditRecord ToRecord() => new()
        {
            Kind = _kind,
            Time = _last,
            FirstTime = _first,
            Count = _count,
            DecisionId = _lastId,
            UserId = _user,
            SessionId = _session,
            Server = _server,
            Method = _happened?.Method,
            Target = _happened?.Target,
            Decision = _happened is null ? "several" : _happened.Decision,
            Code = _happened?.Code,
            Stage = _happened?.Stage,
            Rule = _happened?.Rule,
            Reason = _happened is null ? "different events beyond the quota" : _lastReason,
            ArgumentsDigest = _happened is null ? null : _lastDigest,
            PolicyRevision = _policy,
            ProtocolVersion = _protocol,
        };
    }
}
