using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// What the log finds at its start: where the chain stands and what is not in order. A torn tail is copied aside and cut off; a segment that was changed is
/// left as it is, for people to look at, and the chain goes on in a new one.
/// </summary>
internal sealed class AuditRecovery
{
    private const int MaxAsideBytes = 16 * 1024 * 1024;

    private AuditRecovery()
    {
    }

    public string LogId { get; private set; } = string.Empty;

    public long Sequence { get; private set; }

    public byte[] Head { get; } = new byte[AuditChain.HashBytes];

    /// <summary>The newest segment, or number 0 where there is none.</summary>
    public AuditSegmentName Segment { get; private set; }

    /// <summary>The file name that the next header must give as the one before; null where there is none.</summary>
    public string? LastSegment { get; private set; }

    /// <summary>Where the newest segment can be continued; null where a new one must begin.</summary>
    public long? AppendAt { get; private set; }

    /// <summary>What the log must record about its start.</summary>
    public List<AuditLogNote> Notes { get; } = [];

    /// <summary>One sentence for the health; null where all was in order.</summary>
    public string? Finding { get; private set; }

    public static AuditRecovery Run(AuditFileOptions options, IAuditStorage storage, AuditChain chain, AuditOpenIntents open)
    {
        var found = new AuditRecovery();
        var keys = new Dictionary<string, AuditChain>(StringComparer.Ordinal);
        if (chain.KeyId is not null)
        {
            keys[chain.KeyId] = chain;
        }

        IReadOnlyList<string> files = storage.List(options.Directory);
        List<string> segments = AuditSegments.Ordered(files);
        var asides = new HashSet<string>(files, StringComparer.Ordinal);
        while (segments.Count > 0)
        {
            string name = segments[^1];
            open.Clear();
            var walk = new AuditChainWalk(keys, new AuditChain(default), new OpenIntentObserver(open));
            AuditSegmentState state;
            using (Stream stream = storage.OpenRead(Path.Combine(options.Directory, name)))
            {
                state = walk.Read(stream, name, isLast: true, CancellationToken.None);
            }

            if (state == AuditSegmentState.Torn && walk.GoodLines == 0)
            {
                // Not even the header was finished: nothing in it was ever acknowledged.
                found.SetAsideWhole(options, storage, name, asides);
                segments.RemoveAt(segments.Count - 1);
                continue;
            }

            found.Segment = AuditSegmentName.TryParse(name, out AuditSegmentName parsed) ? parsed : default;
            found.LastSegment = name;
            found.Adopt(options, storage, chain, walk, state, asides);
            return found;
        }

        // The first start, or a log whose only segment was never begun.
        found.LogId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        return found;
    }

    /// <summary>The number of a segment's first record and the hash of the one before it; (0, null) where its header cannot be read.</summary>
    public static (long Sequence, string? Previous) ReadBeginning(IAuditStorage storage, string path)
    {
        using Stream stream = storage.OpenRead(path);
        var reader = new AuditLineReader(stream);
        return reader.Read(out ReadOnlySpan<byte> bytes) == AuditLineStatus.Line && AuditLine.TryRead(bytes, out AuditLine line, out _)
            ? (line.Sequence, Encoding.ASCII.GetString(line.Previous))
            : (0, null);
    }

    private void Adopt(
        AuditFileOptions options, IAuditStorage storage, AuditChain chain, AuditChainWalk walk, AuditSegmentState state, HashSet<string> files)
    {
        LogId = walk.LogId ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        Sequence = walk.Sequence;
        AuditHex.Decode(walk.Head, Head);
        string path = Path.Combine(options.Directory, LastSegment!);
        if (state == AuditSegmentState.Tampered)
        {
            ContinueAfterDamage(storage, path);
            Finding = $"{LastSegment} line {walk.GoodLines + 1}: {walk.Fault}";
            Notes.Add(AuditLogNote.Make(AuditLogEvent.Damaged, detail =>
            {
                detail.WriteString("segment", LastSegment);
                detail.WriteNumber("line", walk.GoodLines + 1);
                detail.WriteNumber("offset", walk.GoodBytes);
                detail.WriteString("fault", walk.Fault);
            }));
            return;
        }

        string aside = AuditAsideName.Make(LastSegment!, Sequence + 1);
        if (state == AuditSegmentState.Torn)
        {
            long length = CopyTail(options, storage, path, walk.GoodBytes, aside, files);
            Finding = $"{LastSegment}: {walk.Fault}; {length} bytes were set aside";
            NoteRecovered(aside, length, walk.Fault!);
        }
        else if (files.Contains(aside))
        {
            // A start before this one cut the tail and ended before it could record it.
            NoteRecovered(aside, -1, "a tail was set aside by an earlier start");
        }

        bool sameKey = string.Equals(walk.Header!.Algorithm, chain.Algorithm, StringComparison.Ordinal)
            && string.Equals(walk.Header.KeyId, chain.KeyId, StringComparison.Ordinal);
        AppendAt = sameKey ? walk.GoodBytes : null;
    }

    private void NoteRecovered(string aside, long length, string fault) =>
        Notes.Add(AuditLogNote.Make(AuditLogEvent.Recovered, detail =>
        {
            detail.WriteString("file", aside);
            if (length >= 0)
            {
                detail.WriteNumber("bytes", length);
            }

            detail.WriteString("fault", fault);
        }));

    /// <summary>
    /// Takes up the chain behind the damage, at the last line that can still be read, so that no number is used twice. The damage stays visible: the walk
    /// of the verifier ends there.
    /// </summary>
    private void ContinueAfterDamage(IAuditStorage storage, string path)
    {
        using Stream stream = storage.OpenRead(path);
        var reader = new AuditLineReader(stream);
        while (reader.Read(out ReadOnlySpan<byte> bytes) == AuditLineStatus.Line)
        {
            // A number near the end of the range is no number of ours, and would leave no room for others.
            if (AuditLine.TryRead(bytes, out AuditLine line, out _) && line.Sequence >= Sequence && line.Sequence < long.MaxValue / 2 && AuditHex.IsHash(line.Hash))
            {
                Sequence = line.Sequence;
                AuditHex.Decode(line.Hash, Head);
            }
        }
    }

    private static long CopyTail(AuditFileOptions options, IAuditStorage storage, string path, long start, string aside, HashSet<string> files)
    {
        using Stream stream = storage.OpenRead(path);
        long length = stream.Length - start;
        string asidePath = Path.Combine(options.Directory, aside);
        if (files.Contains(aside))
        {
            // An earlier start ended between the copy and the cut; whether its copy is whole cannot be known.
            storage.Delete(asidePath);
        }

        stream.Seek(start, SeekOrigin.Begin);
        using IAuditStorageFile copy = storage.Open(asidePath, createNew: true);
        byte[] piece = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            long done = 0;
            int read;
            while (done < MaxAsideBytes && (read = stream.Read(piece)) > 0)
            {
                int written = 0;
                while (written < read)
                {
                    int taken = copy.Write(piece.AsSpan(written, read - written), done + written);
                    written += taken > 0 ? taken : throw new IOException($"'{aside}' took no bytes; is the disk full?");
                }

                done += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        copy.Sync();
        return length;
    }

    private void SetAsideWhole(AuditFileOptions options, IAuditStorage storage, string name, HashSet<string> files)
    {
        int attempt = 0;
        string aside = AuditAsideName.Make(name, attempt);
        while (files.Contains(aside) && attempt < 1_000)
        {
            aside = AuditAsideName.Make(name, ++attempt);
        }

        storage.Rename(Path.Combine(options.Directory, name), Path.Combine(options.Directory, aside));
        Finding = $"{name}: the segment was never begun and was set aside";
        NoteRecovered(aside, -1, "the segment was never begun");
    }

    private sealed class OpenIntentObserver(AuditOpenIntents open) : IAuditLineObserver
    {
        public void OnSegment(AuditSegmentHeader header, long firstSequence)
        {
            foreach (string id in header.Open)
            {
                open.Open(id);
            }
        }

        public void OnRecord(in AuditLine line) => open.Track(line);
    }
}
