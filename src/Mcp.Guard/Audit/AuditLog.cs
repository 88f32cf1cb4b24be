using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// The chained segments in a folder, written by one thread at a time. A batch is written whole or not at all: after any failure the file is cut back to the last
/// good record before the next byte is written, and the chain stands where it stood.
/// </summary>
internal sealed partial class AuditLog : IDisposable
{
    internal const string DigestKeyName = "digest.key";

    private readonly AuditFileOptions _options;
    private readonly IAuditStorage _storage;
    private readonly TimeProvider _time;
    private readonly AuditBuffer _buffer = new();
    private readonly AuditOpenIntents _open = new();
    private readonly List<(AuditKind Kind, string DecisionId)> _batch = [];
    private readonly List<AuditLogNote> _notes = [];
    private readonly byte[] _head = new byte[AuditChain.HashBytes];
    private readonly byte[] _headBefore = new byte[AuditChain.HashBytes];
    private readonly HashSet<string> _announcedDeletions = new(StringComparer.Ordinal);

    private AuditChain _chain;
    private ReadOnlyMemory<byte> _chainKey;
    private AuditRecordWriter? _writer;
    private IDisposable? _lock;
    private IAuditStorageFile? _file;
    private AuditSegmentName _segment;
    private string? _writtenSegment;
    private long _offset;
    private long _sequenceBefore;
    private int _notesInBatch;
    private int _lineStart;
    private bool _tailDirty;
    private bool _needsHeader;
    private bool _syncFailed;
    private bool _namesDirty;
    private bool _isOpen;
    private bool _inBatch;
    private string _logId = string.Empty;

    public AuditLog(AuditFileOptions options, IAuditStorage storage, TimeProvider time)
    {
        _options = options;
        _storage = storage;
        _time = time;
        _chainKey = options.ChainKey;
        _chain = new(_chainKey.Span);
    }

    /// <summary>The last record that was written; 0 before the first.</summary>
    public long Sequence { get; private set; }

    public ReadOnlySpan<byte> Head => _head;

    public bool HasNotes => _notes.Count > 0;

    public int PendingBytes => _buffer.Length;

    /// <summary>Keyed digests for what is not recorded in clear; null before the log is open.</summary>
    public AuditDigest? Digest { get; private set; }

    /// <summary>Calls that the last run left without an outcome: each may have happened.</summary>
    public IReadOnlyList<string> OpenAtStart { get; private set; } = [];

    /// <summary>What was found at start that was not in order; null where all was.</summary>
    public string? StartFinding { get; private set; }

    /// <summary>True where a batch is nothing but one write at the end of the current segment: no file is opened, cut or synchronised for it.</summary>
    public bool CanAppend =>
        _isOpen && !_inBatch && _file is not null && !_needsHeader && !_syncFailed && !_tailDirty && _notes.Count == 0 && _offset < _options.SegmentBytes
        && Today() <= _segment.Day && _options.Durability != AuditDurability.Durable;

    /// <summary>True where segments may have come of age since <see cref="Retain"/> last ran.</summary>
    public bool IsRetentionDue { get; private set; }

    /// <summary>Sets the key of the chain, before the log is opened.</summary>
    public void UseKey(ReadOnlyMemory<byte> key)
    {
        _chainKey = key;
        _chain.Dispose();
        _chain = new(key.Span);
    }

    /// <summary>Starts a batch: opens a new segment where the current one is full, of an earlier day or failed.</summary>
    public void Begin()
    {
        Abandon();
        if (_needsHeader && _syncFailed)
        {
            DiscardSegment();
        }

        DateOnly today = Today();
        if (_file is not null && !_needsHeader && (_offset >= _options.SegmentBytes || today > _segment.Day || _syncFailed))
        {
            CloseSegment();
        }

        if (_file is null)
        {
            CreateSegment(today);
        }

        _buffer.CutTo(0);
        _batch.Clear();
        _sequenceBefore = Sequence;
        _head.CopyTo(_headBefore, 0);
        _inBatch = true;
        if (_needsHeader)
        {
            AppendHeader();
        }

        _notesInBatch = _notes.Count;
        for (int i = 0; i < _notesInBatch; i++)
        {
            Append(_notes[i]);
        }
    }

    /// <summary>Adds a record to the batch.</summary>
    public void Add(AuditRecord record)
    {
        BeginLine();
        int members = _buffer.Length;
        try
        {
            _writer!.Write(record, _buffer);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // No input is known to lead here. A record that says so is better than a call without one.
            _buffer.CutTo(members);
            _writer!.WritePlaceholder(record, fault, _buffer);
        }

        EndLine();
        if (record.Kind is AuditKind.Intent or AuditKind.Outcome or AuditKind.Denial)
        {
            _batch.Add((record.Kind, record.DecisionId));
        }
    }

    /// <summary>Keeps a note for the next batch.</summary>
    public void AddNote(AuditLogNote note) => _notes.Add(note);

    /// <summary>Writes the notes that wait, where there are any.</summary>
    public void WriteNotes()
    {
        if (HasNotes)
        {
            Begin();
            Commit();
        }
    }

    /// <summary>Writes the batch as durably as promised, or throws and leaves the log as it was.</summary>
    public void Commit()
    {
        try
        {
            CutTail();
            _tailDirty = true;
            WriteAll();
            if (_options.Durability == AuditDurability.Durable)
            {
                SyncOrGiveUp();
                if (_namesDirty)
                {
                    _storage.SyncDirectory(_options.Directory);
                    _namesDirty = false;
                }
            }

            _tailDirty = false;
        }
        catch
        {
            Abandon();
            TryCutTail();
            throw;
        }

        _inBatch = false;
        _offset += _buffer.Length;
        if (_needsHeader)
        {
            _needsHeader = false;
            _writtenSegment = _segment.ToString();
            IsRetentionDue = true;
        }

        for (int i = 0; i < _notesInBatch; i++)
        {
            // Both kinds of note that carry a decision id end its call.
            _open.Close(_notes[i].DecisionId);
        }

        _notes.RemoveRange(0, _notesInBatch);
        foreach ((AuditKind kind, string id) in _batch)
        {
            _open.Track(kind, id);
        }
    }

    /// <summary>Forgets a batch that was begun and not written; the chain stands where it stood.</summary>
    public void Abandon()
    {
        if (_inBatch)
        {
            Sequence = _sequenceBefore;
            _headBefore.CopyTo(_head, 0);
            _inBatch = false;
        }
    }

    /// <summary>Makes a checkpoint of what was written, after making that survive a loss of power.</summary>
    public AuditCheckpoint MakeCheckpoint()
    {
        if (_file is not null && _options.Durability != AuditDurability.Durable)
        {
            SyncOrGiveUp();
        }

        return AuditCheckpoint.Make(_logId, Sequence, _head, _time.GetUtcNow(), CheckpointKey.Span);
    }

    /// <summary>Replaces the checkpoint file at once or not at all.</summary>
    public void WriteCheckpointFile(AuditCheckpoint checkpoint)
    {
        string path = _options.CheckpointPath!;
        WholeFile.Write(_storage, path, Encoding.UTF8.GetBytes(checkpoint.ToJson() + "\n"));
    }

    /// <summary>Deletes the closed segments whose time is over, each after its deletion was recorded, so that the rest verifies at every moment.</summary>
    public void Retain()
    {
        IsRetentionDue = false;
        DateOnly today = Today();
        IReadOnlyList<string> files = _storage.List(_options.Directory);
        List<string> segments = AuditSegments.Ordered(files);
        for (int i = 0; i + 1 < segments.Count; i++)
        {
            if (!AuditRetention.IsExpired(segments[i], _options.RetentionDays, today) || string.Equals(segments[i], _segment.ToString(), StringComparison.Ordinal))
            {
                break;
            }

            if (!_announcedDeletions.Contains(segments[i]))
            {
                _notes.Add(AuditRetention.Announcement(_storage, _options.Directory, segments[i], segments[i + 1]));
                _announcedDeletions.Add(segments[i]);
            }

            // The record of the deletion may have failed before; nothing is deleted until it is written.
            WriteNotes();
            _storage.Delete(Path.Combine(_options.Directory, segments[i]));
            _announcedDeletions.Remove(segments[i]);
        }

        foreach (string file in files)
        {
            if (AuditAsideName.TryGetSegment(file, out string? segment) && AuditRetention.IsExpired(segment!, _options.RetentionDays, today))
            {
                _storage.Delete(Path.Combine(_options.Directory, file));
            }
        }
    }

    /// <summary>Writes that the log was closed in order.</summary>
    public void WriteClosed()
    {
        _notes.Add(new(AuditLogEvent.Closed, string.Empty, default));
        Begin();
        Commit();
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _lock?.Dispose();
        _lock = null;
        _chain.Dispose();
    }

    private DateOnly Today() => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);

    private void BeginLine()
    {
        _lineStart = _buffer.Length;
        Sequence++;
        _buffer.Raw("{\"seq\":"u8);
        _buffer.Number(Sequence);
        _buffer.Raw((byte)',');
    }

    private void EndLine()
    {
        _buffer.Raw(",\"prev\":\""u8);
        _buffer.Hex(_head);
        _buffer.Raw((byte)'"');
        _chain.Hash(_buffer.Written[_lineStart..], _head);
        _buffer.Raw(",\"hash\":\""u8);
        _buffer.Hex(_head);
        _buffer.Raw("\"}\n"u8);
    }

    private void BeginEvent(AuditLogEvent kind, string decisionId)
    {
        BeginLine();
        _buffer.Raw("\"time\":"u8);
        _buffer.Time(_time.GetUtcNow());
        _buffer.Raw(",\"kind\":\"log\",\"event\":"u8);
        _buffer.Text(AuditLogEventNames.Text(kind));
        if (decisionId.Length > 0)
        {
            _buffer.Raw(",\"id\":"u8);
            _buffer.Text(decisionId);
        }
    }

    private void Append(AuditLogNote note)
    {
        BeginEvent(note.Event, note.DecisionId);
        if (!note.Detail.IsEmpty)
        {
            _buffer.Raw(",\"detail\":"u8);
            _buffer.Raw(note.Detail.Span);
        }

        EndLine();
    }

    private void AppendHeader()
    {
        var header = new AuditSegmentHeader
        {
            LogId = _logId,
            Name = _segment.ToString(),
            Previous = _writtenSegment,
            Algorithm = _chain.Algorithm,
            KeyId = _chain.KeyId,
            Open = _open.List(),
        };
        BeginEvent(AuditLogEvent.Segment, string.Empty);
        _buffer.Raw(",\"detail\":"u8);
        header.Write(_buffer);
        EndLine();
    }

    private void WriteAll()
    {
        ReadOnlySpan<byte> rest = _buffer.Written;
        long offset = _offset;
        while (!rest.IsEmpty)
        {
            int taken = _file!.Write(rest, offset);
            if (taken <= 0 || taken > rest.Length)
            {
                throw new IOException($"the audit segment '{_segment}' took no bytes; is the disk full?");
            }

            offset += taken;
            rest = rest[taken..];
        }
    }

    private void SyncOrGiveUp()
    {
        try
        {
            _file!.Sync();
        }
        catch
        {
            // After a failed synchronisation the system may forget which pages were not written, and a second call reports success
            // (see "PostgreSQL's fsync surprise", LWN 2018). Nothing more is trusted to this file: the next batch begins a new segment.
            _syncFailed = true;
            throw;
        }
    }

    private void CutTail()
    {
        if (_tailDirty)
        {
            _file!.SetLength(_offset);
            _tailDirty = false;
        }
    }

    private void TryCutTail()
    {
        try
        {
            CutTail();
        }
        catch (Exception)
        {
            // The failure that brought us here is the one to tell. The tail stays marked, and no batch is written before it is cut.
        }
    }

    private void CloseSegment()
    {
        CutTail();
        if (_syncFailed || HasCheckpoints)
        {
            _file!.Sync();
            _syncFailed = false;
        }

        _file!.Dispose();
        _file = null;
    }

    private ReadOnlyMemory<byte> CheckpointKey => _options.CheckpointKey.IsEmpty ? _chainKey : _options.CheckpointKey;

    private bool HasCheckpoints => _options.CheckpointPath is not null || _options.CheckpointSink is not null;

    private void DiscardSegment()
    {
        _storage.Delete(Path.Combine(_options.Directory, _segment.ToString()));
        _file!.Dispose();
        _file = null;
        _needsHeader = false;
        _syncFailed = false;
        _tailDirty = false;
    }

    private void CreateSegment(DateOnly today)
    {
        if (_segment.Number >= AuditSegmentName.MaxNumber)
        {
            // A longer number would be the name of no segment: nobody would find what is written there, and the next start would begin beside it.
            throw new AuditUnavailableException(
                $"the newest segment is '{_segment}', and no number follows it; move the old segments of '{_options.Directory}' away, or name a new audit.directory");
        }

        // Where the clock went back, the day stays: segments keep the order of their numbers and of their days.
        var next = new AuditSegmentName(_segment.Number + 1, today > _segment.Day ? today : _segment.Day);
        string path = Path.Combine(_options.Directory, next.ToString());
        _file = _storage.Open(path, createNew: true);
        _segment = next;
        _offset = 0;
        _needsHeader = true;
        _tailDirty = false;
        _syncFailed = false;
        if (_options.Durability == AuditDurability.Durable)
        {
            _namesDirty = true;
        }
    }
}
