using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Reads RFC 8259 JSON from UTF-8 into a <see cref="JsonTape"/>, and refuses every text on which two readers could disagree: names used
/// twice, lone surrogates, invalid UTF-8. No recursion: an open container remembers its parent in its own token.
/// </summary>
internal ref struct StrictJsonParser
{
    /// <summary>Up to this many members an object's names are compared as they come; larger objects are checked once, when they close.</summary>
    private const int SmallObject = 32;

    /// <summary>Down to this depth the names of the objects around are remembered as bits.</summary>
    private const int KeptNameSets = 8;

    private readonly ReadOnlySpan<byte> _text;
    private readonly JsonTape _tape;
    private readonly int _maxTokens;
    private readonly int _maxDepth;
    private JsonToken[] _tokens;
    private JsonTextFault _fault;

    private StrictJsonParser(ReadOnlySpan<byte> text, in JsonTextLimits limits, JsonTape tape)
    {
        _text = text;
        _tape = tape;
        _maxTokens = Math.Min(limits.MaxTokens, JsonToken.MaxCount);
        _maxDepth = limits.MaxDepth;
        _tokens = tape.Tokens;
    }

    /// <summary>Parses the whole text; the tape holds the outcome and, unless it is <see cref="JsonTextFault.None"/>, the fault's place.</summary>
    public static JsonTextFault Parse(ReadOnlySpan<byte> text, in JsonTextLimits limits, JsonTape tape)
    {
        tape.Reset();
        if (text.Length > limits.MaxBytes)
        {
            tape.Finish(0, JsonTextFault.TooLarge, limits.MaxBytes);
            return JsonTextFault.TooLarge;
        }

        // Once for the whole text: afterwards a byte above 0x7F inside a string needs no look at all.
        if (!Utf8.IsValid(text))
        {
            tape.Finish(0, JsonTextFault.Encoding, 0);
            return JsonTextFault.Encoding;
        }

        var parser = new StrictJsonParser(text, limits, tape);
        int pos = 0;
        int count = 0;
        bool read = parser.Run(ref pos, ref count);
        JsonTextFault fault = read ? JsonTextFault.None : parser._fault == JsonTextFault.Unread ? JsonTextFault.Syntax : parser._fault;
        tape.Finish(count, fault, Math.Min(pos, text.Length));
        return fault;
    }

    /// <summary>Whether the first byte that is not space opens an object.</summary>
    public static bool BeginsObject(ReadOnlySpan<byte> text)
    {
        int pos = SkipSpace(text, 0);
        return pos < text.Length && text[pos] == (byte)'{';
    }

    /// <summary>The loop over values. Position and token count live in locals; the fault, where it is not one of syntax, in its field.</summary>
    private bool Run(ref int posResult, ref int countResult)
    {
        ReadOnlySpan<byte> text = _text;
        int pos = 0;
        int count = 0;
        int open = -1;
        bool inObject = false;
        int depth = 0;
        int members = 0;
        ulong names = 0;
        Span<ulong> outerNames = stackalloc ulong[KeptNameSets];
        bool done = false;

        pos = SkipSpace(text, pos);
        while (true)
        {
            // A value begins here, or the name of a member and then its value.
            if (inObject)
            {
                if (!ReadName(ref pos, ref count, open, members, ref names))
                {
                    break;
                }
            }

            if ((uint)pos >= (uint)text.Length || !HasRoom(count))
            {
                break;
            }

            ref JsonToken slot = ref _tokens[count];
            byte b = text[pos];
            if (b == (byte)'"')
            {
                int start = pos + 1;
                int end = EndOfPlain(text, start);
                if ((uint)end < (uint)text.Length && text[end] == (byte)'"')
                {
                    slot.SetText(start, end - start, 0);
                    pos = end + 1;
                }
                else if (!ReadEscapedString(ref pos, count, end, false))
                {
                    break;
                }

                count++;
            }
            else if (b is (byte)'{' or (byte)'[')
            {
                if (depth >= _maxDepth)
                {
                    _fault = JsonTextFault.TooDeep;
                    break;
                }

                if (open >= 0)
                {
                    // The members read so far wait in the open container's own token.
                    _tokens[open].Length = members;
                }

                if (depth < KeptNameSets)
                {
                    outerNames[depth] = names;
                }

                depth++;
                slot.SetOpen(b == (byte)'{' ? JsonTypes.Object : JsonTypes.Array, pos, open);
                open = count++;
                inObject = b == (byte)'{';
                members = 0;
                names = 0;
                pos = SkipSpace(text, pos + 1);
                if ((uint)pos >= (uint)text.Length || text[pos] != (inObject ? (byte)'}' : (byte)']'))
                {
                    continue;
                }

                members = -1;
            }
            else if (!ReadLiteral(ref pos, ref count, b))
            {
                break;
            }

            members++;
            if (open < 0)
            {
                done = true;
                break;
            }

            // After a value: a comma, or the end of one container after the other.
            bool next = false;
            while (true)
            {
                pos = SkipSpace(text, pos);
                if ((uint)pos >= (uint)text.Length)
                {
                    break;
                }

                b = text[pos];
                if (b == (byte)',' && members > 0)
                {
                    pos = SkipSpace(text, pos + 1);
                    next = true;
                    break;
                }

                if (b != (inObject ? (byte)'}' : (byte)']'))
                {
                    break;
                }

                ref JsonToken container = ref _tokens[open];
                int parent = container.Link;
                container.Length = pos + 1 - container.Start;
                container.Close(count, members);
                if (inObject && members > SmallObject && !NamesDiffer(open, members))
                {
                    _fault = JsonTextFault.DuplicateName;
                    break;
                }

                pos++;
                depth--;

                // Where the outer names were not kept (deep nesting), all bits set sends each further name to the exact comparison.
                names = depth < KeptNameSets ? outerNames[depth] : ulong.MaxValue;
                open = parent;
                if (open < 0)
                {
                    done = true;
                    break;
                }

                inObject = _tokens[open].Type == JsonTypes.Object;
                members = _tokens[open].Length + 1;
            }

            if (!next)
            {
                break;
            }
        }

        if (done)
        {
            pos = SkipSpace(text, pos);
        }

        posResult = pos;
        countResult = count;
        return done && pos == text.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SkipSpace(ReadOnlySpan<byte> text, int pos)
    {
        while ((uint)pos < (uint)text.Length && text[pos] <= (byte)' ' && text[pos] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            pos++;
        }

        return pos;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool HasRoom(int count) => ((uint)count < (uint)_tokens.Length && count < _maxTokens) || MakeRoom(count);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MakeRoom(int count)
    {
        if (count >= _maxTokens)
        {
            _fault = JsonTextFault.TooManyTokens;
            return false;
        }

        _tokens = _tape.GrowTokens();
        return true;
    }

    private bool ReadLiteral(ref int pos, ref int count, byte first)
    {
        ReadOnlySpan<byte> rest = _text[pos..];
        ref JsonToken slot = ref _tokens[count];
        int length;
        switch (first)
        {
            case (byte)'t' when rest.StartsWith("true"u8):
                slot.SetTrue(pos);
                length = 4;
                break;
            case (byte)'f' when rest.StartsWith("false"u8):
                slot.SetScalar(JsonTypes.Boolean, pos, 5);
                length = 5;
                break;
            case (byte)'n' when rest.StartsWith("null"u8):
                slot.SetScalar(JsonTypes.Null, pos, 4);
                length = 4;
                break;
            default:
                length = NumberLength(rest, out int type, out bool isTooLong);
                if (length <= 0)
                {
                    _fault = isTooLong ? JsonTextFault.NumberTooLong : _fault;
                    return false;
                }

                slot.SetScalar(type, pos, length);
                break;
        }

        pos += length;
        count++;
        return true;
    }

    /// <summary>Reads a member name and its colon, up to the first byte of the value.</summary>
    private bool ReadName(ref int posResult, ref int count, int open, int members, ref ulong names)
    {
        ReadOnlySpan<byte> text = _text;
        int pos = posResult;
        if ((uint)pos >= (uint)text.Length || text[pos] != (byte)'"' || !HasRoom(count))
        {
            return false;
        }

        int start = pos + 1;
        int end = EndOfPlain(text, start);
        int hash;
        if ((uint)end < (uint)text.Length && text[end] == (byte)'"')
        {
            hash = NameHash.Of(text[start..end]);
            _tokens[count].SetText(start, end - start, hash);
            pos = end + 1;
        }
        else if (ReadEscapedString(ref pos, count, end, true))
        {
            hash = _tokens[count].Link;
        }
        else
        {
            posResult = pos;
            return false;
        }

        count++;
        if (members < SmallObject)
        {
            // One bit a name: as long as the bit is free, the name is new and nothing needs comparing.
            ulong bit = 1UL << (hash & 63);
            if ((names & bit) != 0 && IsRepeated(open, count - 1, members))
            {
                _fault = JsonTextFault.DuplicateName;
                return false;
            }

            names |= bit;
        }

        if ((uint)pos < (uint)text.Length && text[pos] != (byte)':')
        {
            pos = SkipSpace(text, pos);
        }

        posResult = pos;
        if ((uint)pos >= (uint)text.Length || text[pos] != (byte)':')
        {
            return false;
        }

        posResult = SkipSpace(text, pos + 1);
        return true;
    }

    private readonly ReadOnlySpan<byte> Bytes(in JsonToken token) =>
        (token.IsDecoded ? _tape.Decoded : _text).Slice(token.Start, token.Length);

    /// <summary>Whether the name just read is among the names before it in the same object.</summary>
    private readonly bool IsRepeated(int open, int nameToken, int members)
    {
        ref readonly JsonToken name = ref _tokens[nameToken];
        int next = open + 1;
        for (; members > 0; members--)
        {
            ref readonly JsonToken earlier = ref _tokens[next];
            if (earlier.Link == name.Link && Bytes(earlier).SequenceEqual(Bytes(name)))
            {
                return true;
            }

            next++;
            next = _tokens[next].IsContainer ? _tokens[next].Link : next + 1;
        }

        return false;
    }

    /// <summary>Sorts the names of a large object by hash, so that equal ones lie side by side: n log n whatever the names are.</summary>
    private readonly bool NamesDiffer(int open, int members)
    {
        ulong[] keys = System.Buffers.ArrayPool<ulong>.Shared.Rent(members);
        try
        {
            int next = open + 1;
            for (int i = 0; i < members; i++)
            {
                keys[i] = ((ulong)(uint)_tokens[next].Link << 32) | (uint)next;
                next++;
                next = _tokens[next].IsContainer ? _tokens[next].Link : next + 1;
            }

            Span<ulong> sorted = keys.AsSpan(0, members);
            sorted.Sort();
            for (int i = 1; i < sorted.Length; i++)
            {
                // Equal hashes of different names are chance (2^-32 a pair): the inner loop runs over the few of one hash.
                for (int j = i - 1; j >= 0 && sorted[j] >> 32 == sorted[i] >> 32; j--)
                {
                    if (Bytes(_tokens[(int)(uint)sorted[j]]).SequenceEqual(Bytes(_tokens[(int)(uint)sorted[i]])))
                    {
                        return false;
                    }
                }
            }

            return true;
        }
        finally
        {
            System.Buffers.ArrayPool<ulong>.Shared.Return(keys);
        }
    }

    /// <summary>The index of the first byte that ends a string or needs a look: a quote, a backslash or a control character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int EndOfPlain(ReadOnlySpan<byte> text, int pos)
    {
        while (text.Length - pos >= Vector128<byte>.Count)
        {
            Vector128<byte> bytes = Vector128.Create(text.Slice(pos, Vector128<byte>.Count));
            Vector128<byte> special = Vector128.Equals(bytes, Vector128.Create((byte)'"'))
                | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(bytes, Vector128.Create((byte)' '));
            uint mask = special.ExtractMostSignificantBits();
            if (mask != 0)
            {
                return pos + BitOperations.TrailingZeroCount(mask);
            }

            pos += Vector128<byte>.Count;
        }

        while ((uint)pos < (uint)text.Length)
        {
            byte b = text[pos];
            if (b is (byte)'"' or (byte)'\\' or < (byte)' ')
            {
                break;
            }

            pos++;
        }

        return pos;
    }

    private bool ReadEscapedString(ref int pos, int slot, int firstSpecial, bool isName)
    {
        int start = pos + 1;

        // Find the end first, so that the room asked for is bounded by this string and not by the text.
        int end = firstSpecial;
        while (true)
        {
            if ((uint)end >= (uint)_text.Length || _text[end] < (byte)' ')
            {
                pos = end;
                return false;
            }

            if (_text[end] == (byte)'"')
            {
                break;
            }

            end = EndOfPlain(_text, Math.Min(end + 2, _text.Length));
        }

        ReadOnlySpan<byte> inside = _text[start..end];
        int decodedStart = _tape.DecodedCount;
        Span<byte> room = _tape.DecodedRoom(inside.Length);
        int written = 0;
        int read = 0;
        while (true)
        {
            int escape = inside[read..].IndexOf((byte)'\\');
            int plain = escape < 0 ? inside.Length - read : escape;
            inside.Slice(read, plain).CopyTo(room[written..]);
            read += plain;
            written += plain;
            if (escape < 0)
            {
                break;
            }

            if (!Unescape(inside, ref read, room, ref written))
            {
                pos = start + read;
                return false;
            }
        }

        _tape.CommitDecoded(written);
        _tokens[slot].SetDecoded(decodedStart, written, isName ? NameHash.Of(room[..written]) : 0);
        pos = end + 1;
        return true;
    }

    private bool Unescape(ReadOnlySpan<byte> inside, ref int read, Span<byte> room, ref int written)
    {
        // The scan for the end stepped over the byte after each backslash, so it is there.
        byte plain = inside[read + 1] switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'/' => (byte)'/',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            _ => 0,
        };
        if (plain != 0)
        {
            room[written++] = plain;
            read += 2;
            return true;
        }

        int unit = inside[read + 1] == (byte)'u' ? Hex4(inside, read + 2) : -1;
        if (unit < 0)
        {
            return false;
        }

        int scalar = unit;
        int length = 6;
        if (unit is >= 0xD800 and <= 0xDFFF)
        {
            int low = unit < 0xDC00 && read + 7 < inside.Length && inside[read + 6] == (byte)'\\' && inside[read + 7] == (byte)'u'
                ? Hex4(inside, read + 8)
                : -1;
            if (low is < 0xDC00 or > 0xDFFF)
            {
                _fault = JsonTextFault.LoneSurrogate;
                return false;
            }

            scalar = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            length = 12;
        }

        written += new System.Text.Rune(scalar).EncodeToUtf8(room[written..]);
        read += length;
        return true;
    }

    public static int Hex4(ReadOnlySpan<byte> text, int start)
    {
        if (start + 4 > text.Length)
        {
            return -1;
        }

        int value = 0;
        for (int i = start; i < start + 4; i++)
        {
            int b = text[i];
            int digit = b is >= '0' and <= '9' ? b - '0' : (b | 0x20) is >= 'a' and <= 'f' ? (b | 0x20) - 'a' + 10 : -1;
            if (digit < 0)
            {
                return -1;
            }

            value = (value << 4) | digit;
        }

        return value;
    }

    /// <summary>The length of the number at the start of a text; 0 or below where there is none that is accepted.</summary>
    public static int NumberLength(ReadOnlySpan<byte> text, out int type, out bool isTooLong)
    {
        isTooLong = false;
        type = JsonTypes.Integer;
        int pos = text[0] == (byte)'-' ? 1 : 0;
        int digitsStart = pos;
        pos = (uint)pos < (uint)text.Length && text[pos] == (byte)'0' ? pos + 1 : SkipDigits(text, pos);
        int digits = pos - digitsStart;
        if (digits == 0)
        {
            return 0;
        }

        if ((uint)pos < (uint)text.Length && text[pos] == (byte)'.')
        {
            type = JsonTypes.Decimal;
            int fraction = pos + 1;
            pos = SkipDigits(text, fraction);
            if (pos == fraction)
            {
                return 0;
            }

            digits += pos - fraction;
        }

        int exponent = 0;
        if ((uint)pos < (uint)text.Length && (text[pos] | 0x20) == 'e')
        {
            type = JsonTypes.Decimal;
            pos++;
            if ((uint)pos < (uint)text.Length && text[pos] is (byte)'+' or (byte)'-')
            {
                pos++;
            }

            int exponentStart = pos;
            while ((uint)pos < (uint)text.Length && char.IsAsciiDigit((char)text[pos]))
            {
                exponent = Math.Min((exponent * 10) + (text[pos] - '0'), JsonTextLimits.MaxNumberExponent + 1);
                pos++;
            }

            if (pos == exponentStart)
            {
                return 0;
            }
        }

        if (digits > JsonTextLimits.MaxNumberDigits || exponent > JsonTextLimits.MaxNumberExponent)
        {
            isTooLong = true;
            return 0;
        }

        return pos;
    }

    private static int SkipDigits(ReadOnlySpan<byte> text, int pos)
    {
        while ((uint)pos < (uint)text.Length && (uint)(text[pos] - '0') <= 9)
        {
            pos++;
        }

        return pos;
    }
}
