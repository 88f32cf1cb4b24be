using System.Globalization;
using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// Follows the chain through segments in order and stops at the first record that is not in order. Memory is constant. The verifier walks all segments,
/// the log at its start only the last one.
/// </summary>
internal sealed class AuditChainWalk(IReadOnlyDictionary<string, AuditChain> keys, AuditChain plain, IAuditLineObserver? observer)
{
    private readonly byte[] _head = new byte[AuditChain.HexChars];
    private readonly byte[] _computed = new byte[AuditChain.HashBytes];
    private readonly byte[] _computedHex = new byte[AuditChain.HexChars];
    private string? _previousName;
    private bool _started;

    /// <summary>The last record in order; 0 before the first.</summary>
    public long Sequence { get; private set; }

    /// <summary>The hash of that record, as written.</summary>
    public ReadOnlySpan<byte> Head => _head;

    public string? LogId { get; private set; }

    /// <summary>The header of the segment that was read last.</summary>
    public AuditSegmentHeader? Header { get; private set; }

    /// <summary>Records in order, in all segments read.</summary>
    public long Records { get; private set; }

    /// <summary>The bytes of the segment read last that hold records in order.</summary>
    public long GoodBytes { get; private set; }

    /// <summary>Records in order in the segment read last.</summary>
    public long GoodLines { get; private set; }

    /// <summary>What is wrong, where a segment was not whole.</summary>
    public string? Fault { get; private set; }

    /// <summary>True where hashes of the segment read last could not be computed for want of the key.</summary>
    public bool IsKeyMissing { get; private set; }

    /// <summary>True where keys were given and a segment without one was read.</summary>
    public bool SawUnkeyed { get; private set; }

    /// <summary>Reads one segment.</summary>
    /// <param name="stream">Its bytes.</param>
    /// <param name="name">Its file name, which its header must repeat; null where the name is not known.</param>
    /// <param name="isLast">Only the last segment may be torn.</param>
    /// <param name="ct">Stops the reading.</param>
    public AuditSegmentState Read(Stream stream, string? name, bool isLast, CancellationToken ct)
    {
        var reader = new AuditLineReader(stream);
        AuditChain? chain = null;
        GoodBytes = 0;
        GoodLines = 0;
        Header = null;
        Fault = null;
        while (true)
        {
            if ((GoodLines & 0xff) == 0)
            {
                ct.ThrowIfCancellationRequested();
            }

            switch (reader.Read(out ReadOnlySpan<byte> bytes))
            {
                case AuditLineStatus.End:
                    return GoodLines > 0 ? AuditSegmentState.Whole : EndTorn(isLast, "the segment is empty");
                case AuditLineStatus.Partial:
                    return EndTorn(isLast, "the last record is incomplete");
                case AuditLineStatus.TooLong:
                    return reader.OnlyNulsFollow(ct)
                        ? EndTorn(isLast, "the segment ends in NUL bytes")
                        : Tampered("the line is longer than any record");
                default:
                    if (!AuditLine.TryRead(bytes, out AuditLine line, out string? fault))
                    {
                        return Tampered(fault!);
                    }

                    if (GoodLines == 0 && !BeginSegment(line, name, out chain))
                    {
                        return AuditSegmentState.Tampered;
                    }

                    if (!Check(line, chain))
                    {
                        return AuditSegmentState.Tampered;
                    }

                    Accept(line, reader.Offset);
                    break;
            }
        }
    }

    private bool BeginSegment(in AuditLine line, string? name, out AuditChain? chain)
    {
        chain = null;
        AuditSegmentHeader? header = AuditSegmentHeader.TryRead(line, out string? fault);
        if (header is null)
        {
            Tampered(fault!);
            return false;
        }

        if (name is not null && !string.Equals(header.Name, name, StringComparison.Ordinal))
        {
            Tampered($"the header belongs to {Printable(header.Name)}: the file was renamed or exchanged");
            return false;
        }

        if (_started && !string.Equals(header.Previous, _previousName, StringComparison.Ordinal))
        {
            Tampered($"the header names {Printable(header.Previous ?? "no segment")} as the one before, found {_previousName}: a segment is missing or out of order");
            return false;
        }

        if (_started && !string.Equals(header.LogId, LogId, StringComparison.Ordinal))
        {
            Tampered("the segment belongs to another log");
            return false;
        }

        if (string.Equals(header.Algorithm, AuditChain.PlainAlgorithm, StringComparison.Ordinal))
        {
            chain = plain;
            SawUnkeyed |= keys.Count > 0;
        }
        else if (header.KeyId is null || !keys.TryGetValue(header.KeyId, out chain))
        {
            IsKeyMissing = true;
        }

        if (!_started)
        {
            // The first segment at hand may be the first that retention left; the caller proves its beginning.
            line.Previous.CopyTo(_head);
            Sequence = line.Sequence - 1;
            LogId = header.LogId;
            _started = true;
        }

        Header = header;
        return true;
    }

    private bool Check(in AuditLine line, AuditChain? chain)
    {
        if (line.Sequence != Sequence + 1)
        {
            Tampered(string.Create(CultureInfo.InvariantCulture, $"expected record {Sequence + 1}, found {line.Sequence}: records are missing, repeated or out of order"));
            return false;
        }

        if (!line.Previous.SequenceEqual(_head))
        {
            Tampered("the record does not follow the one before: one of them was exchanged");
            return false;
        }

        if (GoodLines > 0 && line.Event == AuditLogEvent.Segment)
        {
            Tampered("a second header in one segment");
            return false;
        }

        if (chain is null)
        {
            if (!AuditHex.IsHash(line.Hash))
            {
                Tampered("the hash is no hash");
                return false;
            }

            return true;
        }

        chain.Hash(line.Content, _computed);
        Convert.TryToHexStringLower(_computed, _computedHex, out _);
        if (!line.Hash.SequenceEqual(_computedHex))
        {
            Tampered("the record does not match its hash: it was changed, or the key is not the log's");
            return false;
        }

        return true;
    }

    private void Accept(in AuditLine line, long end)
    {
        Sequence = line.Sequence;
        line.Hash.CopyTo(_head);
        Records++;
        GoodLines++;
        GoodBytes = end;
        if (GoodLines == 1)
        {
            _previousName = Header!.Name;
            observer?.OnSegment(Header, line.Sequence);
        }

        observer?.OnRecord(line);
    }

    private AuditSegmentState EndTorn(bool isLast, string fault)
    {
        Fault = isLast ? fault : fault + ", and other segments follow it";
        return isLast ? AuditSegmentState.Torn : AuditSegmentState.Tampered;
    }

    private AuditSegmentState Tampered(string fault)
    {
        Fault = fault;
        return AuditSegmentState.Tampered;
    }

    /// <summary>Text of the file as it may be shown.</summary>
    private static string Printable(string text)
    {
        var shown = new StringBuilder();
        foreach (char c in text.AsSpan(0, int.Min(text.Length, 80)))
        {
            shown.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or ' ' ? c : '?');
        }

        return shown.ToString();
    }
}
