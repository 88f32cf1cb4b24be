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
    private readonly Action<string>? _onFlood;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string? Server, string? User, string? Session), Source> _sources = [];
    private readonly Source _others = new();
    private readonly ITimer _timer;
    private List<AuditRecord> _unwritten = [];
    private Task _emission = Task.CompletedTask;
    private long _lost;

    /// <param name="inner">Receives what passes, and the counts.</param>
    /// <param name="options">Quotas.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onFlood">Told the id of a server that is to be disconnected, once in a window; it must not block.</param>
    public AuditFloodGate(IAuditSink inner, AuditFloodOptions options, TimeProvider time, Action<string>? onFlood = null)
    {
        _inner = inner;
        _options = options;
        _time = time;
        _onFlood = onFlood;
        _timer = time.CreateTimer(static gate => ((AuditFloodGate)gate!).EndWindow(), this, options.Window, options.Window);
    }

    /// <summary>Counts that could not be written and were given up, in events.</summary>
    public long Lost => Volatile.Read(ref _lost);

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        if (record.Kind is not (AuditKind.Denial or AuditKind.ServerMessage))
        {
            return _inner.WriteAsync(record, ct);
        }

        bool passes;
        bool isFlood = false;
        lock (_gate)
        {
            Source source = SourceOf(record);
            source.Seen++;
            passes = source.Seen <= _options.Quota;
            if (!passes)
            {
                source.Count(record, _options.DistinctEvents);
            }

            if (record.Kind == AuditKind.ServerMessage && ++source.FromServer == _options.DisconnectAfter)
            {
                isFlood = true;
            }
        }

        if (isFlood && record.Server is { } server)
        {
            _onFlood?.Invoke(server);
        }

        return passes ? _inner.WriteAsync(record, ct) : default;
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

    private Source SourceOf(AuditRecord record)
    {
        (string?, string?, string?) key = (record.Server, record.UserId, record.SessionId);
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

    /// <summary>What one server and caller caused in the current window.</summary>
    private sealed class Source
    {
        private Dictionary<(AuditKind, string?, string?, string?, string?), Tally>? _tallies;
        private Tally? _otherDenials;
        private Tally? _otherMessages;

        public long Seen { get; set; }

        public long FromServer { get; set; }

        public void Count(AuditRecord record, int distinct)
        {
            _tallies ??= [];
            (AuditKind, string?, string?, string?, string?) key = (record.Kind, record.Method, record.Code, record.Stage, record.Target);
            if (_tallies.TryGetValue(key, out Tally? tally))
            {
                tally.Add(record);
            }
            else if (_tallies.Count < distinct)
            {
                _tallies.Add(key, new(record, isMixed: false));
            }
            else
            {
                ref Tally? rest = ref record.Kind == AuditKind.Denial ? ref _otherDenials : ref _otherMessages;
                if (rest is null)
                {
                    rest = new(record, isMixed: true);
                }
                else
                {
                    rest.Add(record);
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
            FromServer = 0;
        }
    }

    /// <summary>Several events as one record.</summary>
    private sealed class Tally
    {
        private readonly AuditRecord _first;
        private readonly bool _isMixed;
        private AuditRecord _last;
        private long _count = 1;

        public Tally(AuditRecord first, bool isMixed)
        {
            _first = first;
            _last = first;
            _isMixed = isMixed;
        }

        public void Add(AuditRecord record)
        {
            _last = record;
            _count++;
        }

        public AuditRecord ToRecord() => new()
        {
            Kind = _last.Kind,
            Time = _last.Time,
            FirstTime = _first.Time,
            Count = _count,
            DecisionId = _last.DecisionId,
            UserId = _last.UserId,
            SessionId = _last.SessionId,
            Server = _last.Server,
            Method = _isMixed ? null : _last.Method,
            Target = _isMixed ? null : _last.Target,
            Decision = _last.Decision,
            Code = _isMixed ? null : _last.Code,
            Stage = _isMixed ? null : _last.Stage,
            Rule = _isMixed ? null : _last.Rule,
            Reason = _isMixed ? "different events beyond the quota" : _last.Reason,
            PolicyRevision = _last.PolicyRevision,
            ProtocolVersion = _last.ProtocolVersion,
        };
    }
}
