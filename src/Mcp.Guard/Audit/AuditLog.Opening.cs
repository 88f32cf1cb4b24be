namespace Mcp.Guard.Audit;

/// <content>How the log is opened: what the last run left is put in order, compared with the checkpoint and continued.</content>
internal sealed partial class AuditLog
{
    /// <summary>Takes the folder, puts its last segment in order and writes that it was opened. It can be called again after a failure.</summary>
    public void Open()
    {
        if (_isOpen)
        {
            return;
        }

        _storage.CreateDirectory(_options.Directory);
        _lock ??= _storage.Lock(_options.Directory);
        Digest ??= new(WholeFile.LoadOrMakeKey(_storage, Path.Combine(_options.Directory, DigestKeyName), AuditDigest.KeyBytes));
        _writer ??= new(_options.MaxContentBytes, Digest);
        Recover();
        _isOpen = true;
        IsRetentionDue = true;
        Begin();
        Commit();
    }

    private void Recover()
    {
        AuditRecovery found = AuditRecovery.Run(_options, _storage, _chain, _open);
        _logId = found.LogId;
        Sequence = found.Sequence;
        found.Head.CopyTo(_head, 0);
        _segment = found.Segment;
        _writtenSegment = found.LastSegment;
        _notes.Clear();
        _notes.AddRange(found.Notes);
        _notes.Add(AuditLogNote.Make(AuditLogEvent.Opened, detail =>
        {
            detail.WriteString("durability", _options.Durability switch
            {
                AuditDurability.Durable => "durable",
                AuditDurability.BestEffort => "bestEffort",
                _ => "flushed",
            });
            detail.WriteNumber("retentionDays", _options.RetentionDays);
        }));
        OpenAtStart = _open.List();
        foreach (string id in OpenAtStart)
        {
            _notes.Add(new(AuditLogEvent.OpenIntent, id, default));
        }

        _open.Clear();
        StartFinding = found.Finding;
        CompareWithCheckpoint();
        _file?.Dispose();
        _file = null;
        Continue(found);
    }

    /// <summary>Opens the newest segment where it can be continued, and cuts off its torn tail in any case: other segments are about to follow it.</summary>
    private void Continue(AuditRecovery found)
    {
        string path = Path.Combine(_options.Directory, _segment.ToString());
        if (found.CutAt is { } end)
        {
            using IAuditStorageFile torn = _storage.Open(path, createNew: false);
            torn.SetLength(end);
            torn.Sync();
        }

        if (found.AppendAt is { } offset && offset < _options.SegmentBytes && Today() <= _segment.Day)
        {
            _file = _storage.Open(path, createNew: false);
            _offset = offset;
            _tailDirty = false;
            _needsHeader = false;
        }
    }

    /// <summary>
    /// Finds at start that the log was cut, rolled back or removed while it was closed. The checkpoint that says so is kept beside the new one.
    /// </summary>
    private void CompareWithCheckpoint()
    {
        if (_options.CheckpointPath is not { } path
            || !_storage.Exists(path)
            || AuditCheckpoint.FaultOf(AuditCheckpoint.Read(_storage, path), CheckpointKey.Span, _logId, Sequence, _head) is not { } fault)
        {
            return;
        }

        string kept = path + ".contradicted";
        _storage.Rename(path, kept);
        StartFinding ??= fault;
        _notes.Add(AuditLogNote.Make(AuditLogEvent.Damaged, detail =>
        {
            detail.WriteString("fault", fault);
            detail.WriteString("checkpoint", Path.GetFileName(kept));
        }));
    }
}
