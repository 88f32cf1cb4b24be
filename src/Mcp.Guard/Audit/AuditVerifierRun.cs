using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>The state of one verification: what the walk along the chain saw beyond the links.</summary>
internal sealed class AuditVerifierRun : IAuditLineObserver
{
    private readonly AuditVerifierOptions _options;
    private readonly byte[] _beginning = new byte[AuditChain.HexChars];
    private bool _beginningProved;
    private long _first;
    private long _lastTicks;
    private long _clockSteps;
    private long _damage;
    private string? _checkpointHead;

    public AuditVerifierRun(AuditVerifierOptions options)
    {
        _options = options;
        var keys = new Dictionary<string, AuditChain>(StringComparer.Ordinal);
        foreach (ReadOnlyMemory<byte> key in options.ChainKeys)
        {
            if (!key.IsEmpty)
            {
                var chain = new AuditChain(key.Span);
                keys[chain.KeyId!] = chain;
            }
        }

        Walk = new(keys, new AuditChain(default), this);
    }

    public AuditChainWalk Walk { get; }

    public int Segments { get; set; }

    /// <summary>A verdict where the checkpoint itself is not what it claims; otherwise null.</summary>
    public AuditVerification? RefuseCheckpoint() =>
        _options.Checkpoint is { } checkpoint && !_options.CheckpointKey.IsEmpty && !checkpoint.IsSignedWith(_options.CheckpointKey.Span)
            ? new()
            {
                Verdict = AuditVerdict.Tampered,
                Message = "the checkpoint is not signed with the given key",
                Checkpoint = AuditCheckpointState.NotAuthentic,
            }
            : null;

    public void OnSegment(AuditSegmentHeader header, long firstSequence)
    {
        if (_first == 0)
        {
            _first = firstSequence;
        }
    }

    public void OnRecord(in AuditLine line)
    {
        if (line.Sequence == _first)
        {
            line.Previous.CopyTo(_beginning);
            _beginningProved = _first == 1 && !line.Previous.ContainsAnyExcept((byte)'0');
        }

        if (line.TimeTicks < _lastTicks)
        {
            _clockSteps++;
        }

        _lastTicks = line.TimeTicks;
        if (_options.Checkpoint is { } checkpoint && checkpoint.Sequence == line.Sequence)
        {
            _checkpointHead = Encoding.ASCII.GetString(line.Hash);
        }

        if (line.Event == AuditLogEvent.Damaged)
        {
            _damage++;
        }
        else if (line.Event == AuditLogEvent.Retention)
        {
            NoteRetention(line);
        }
    }

    public AuditVerification FinishSegments(AuditSegmentState state, string? name, bool requireBeginning)
    {
        if (state == AuditSegmentState.Tampered)
        {
            return Finish(AuditVerdict.Tampered, Walk.Fault!, name, hasBad: true);
        }

        if (Walk.SawUnkeyed && !_options.AllowUnkeyed)
        {
            return Finish(AuditVerdict.Tampered, "a segment carries plain hashes although a key was given: it may have been made anew", null);
        }

        if (requireBeginning && _first > 0 && !_beginningProved)
        {
            return Finish(
                AuditVerdict.Tampered,
                string.Create(CultureInfo.InvariantCulture, $"the log begins with record {_first} and holds no record of the deletion of those before"),
                null);
        }

        if (CompareCheckpoint() is AuditCheckpointState.LogIsShorter or AuditCheckpointState.LogDiffers)
        {
            return Finish(
                AuditVerdict.Tampered,
                CompareCheckpoint() == AuditCheckpointState.LogIsShorter
                    ? string.Create(CultureInfo.InvariantCulture, $"the log ends at record {Walk.Sequence}; its checkpoint knows {_options.Checkpoint!.Sequence}: it was cut or rolled back")
                    : "the log is not the one that its checkpoint knows: it was made anew",
                null);
        }

        if (Walk.IsKeyMissing)
        {
            return Finish(AuditVerdict.Unverifiable, "the links are in order, but a segment's key was not given, so its hashes prove nothing", null);
        }

        return state == AuditSegmentState.Torn
            ? Finish(AuditVerdict.Torn, Walk.Fault!, name, hasBad: true)
            : Finish(AuditVerdict.Valid, "every record is in order", null);
    }

    public AuditVerification Finish(AuditVerdict verdict, string message, string? badFile, bool hasBad = false)
    {
        AuditCheckpointState checkpoint = CompareCheckpoint();
        if (checkpoint == AuditCheckpointState.LogIsShorter && hasBad && verdict == AuditVerdict.Tampered)
        {
            checkpoint = AuditCheckpointState.NotReached;
        }

        if (verdict == AuditVerdict.Empty && checkpoint == AuditCheckpointState.LogIsShorter)
        {
            verdict = AuditVerdict.Tampered;
            message += ", but its checkpoint knows records";
        }

        return new()
        {
            Verdict = verdict,
            Message = message,
            Records = Walk.Records,
            Segments = Segments,
            FirstSequence = _first,
            LastSequence = Walk.Records > 0 ? Walk.Sequence : 0,
            Head = Walk.Records > 0 ? Encoding.ASCII.GetString(Walk.Head) : null,
            LogId = Walk.LogId,
            BadFile = badFile,
            BadLine = hasBad ? Walk.GoodLines + 1 : 0,
            BadOffset = hasBad ? Walk.GoodBytes : 0,
            Checkpoint = checkpoint,
            ClockSteps = _clockSteps,
            DamageRecords = _damage,
        };
    }

    private AuditCheckpointState CompareCheckpoint()
    {
        if (_options.Checkpoint is not { } checkpoint)
        {
            return AuditCheckpointState.NotGiven;
        }

        if (Walk.LogId is not null && !string.Equals(Walk.LogId, checkpoint.LogId, StringComparison.Ordinal))
        {
            return AuditCheckpointState.LogDiffers;
        }

        if (_checkpointHead is not null)
        {
            return string.Equals(_checkpointHead, checkpoint.Head, StringComparison.Ordinal) ? AuditCheckpointState.Matched : AuditCheckpointState.LogDiffers;
        }

        if (_first > checkpoint.Sequence)
        {
            return AuditCheckpointState.TooOld;
        }

        return AuditCheckpointState.LogIsShorter;
    }

    /// <summary>A deletion that ends right before the first record at hand proves the beginning.</summary>
    private void NoteRetention(in AuditLine line)
    {
        using JsonDocument? document = AuditLogDetail.TryParse(line, out JsonElement detail);
        if (document is not null
            && AuditLogDetail.Number(detail, "lastSequence") == _first - 1
            && AuditLogDetail.Text(detail, "lastHash") is { } hash
            && hash.Length == AuditChain.HexChars
            && Ascii.Equals(hash, _beginning))
        {
            _beginningProved = true;
        }
    }
}
