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

    private readonly ReadOnlySpan<byte> _text;
    private readonly JsonTape _tape;
    private readonly int _maxTokens;
    private readonly int _maxDepth;
    private JsonToken[] _tokens;
    private int _count;
    private int _pos;
    private JsonTextFault _fault;

    private StrictJsonParser(ReadOnlySpan<byte> text, in JsonTextLimits limits, JsonTape tape)
    {
        _text = text;
        _tape = tape;
        _maxTokens = Math.Min(limits.MaxTokens, JsonToken.MaxCount);
        _maxDepth = limits.MaxDepth;
        _tokens = tape.Tokens;
        _fault = JsonTextFault.None;
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
        parser.Run();
        tape.Finish(parser._count, parser._fault, parser._pos);
        return parser._fault;
    }

    private void Run()
    {
        ReadOnlySpan<byte> text = _text;
        int open = -1;
        bool inObject = false;
        int depth = 0;
        int members = 0;
        ulong names = 0;
        Span<ulong> outerNames = stackalloc ulong[8];

        SkipSpace();
        while (true)
        {
            // A value begins here.
            if ((uint)_pos >= (uint)text.Length)
            {
                _fault = JsonTextFault.Syntax;
                return;
            }

            byte b = text[_pos];
            switch (b)
            {
                case (byte)'"':
                    if (!ReadString(false))
                    {
                        return;
                    }

                    break;
                case (byte)'{':
                case (byte)'[':
                    if (++depth > _maxDepth)
                    {
                        _fault = JsonTextFault.TooDeep;
                        return;
                    }

                    if (!Room())
                    {
                        return;
                    }

                    if (open >= 0)
                    {
                        // Members read so far wait in the open container's own token; the names seen are looked at again after it.
                        _tokens[open].Length = members;
                    }

                    _tokens[_count] = JsonToken.Open(b == (byte)'{' ? JsonTypes.Object : JsonTypes.Array, _pos, open);
                    open = _count++;
                    inObject = b == (byte)'{';
                    members = 0;
                    if (depth <= outerNames.Length)
                    {
                        outerNames[depth - 1] = names;
                    }

                    names = 0;
                    _pos++;
                    SkipSpace();
                    if ((uint)_pos < (uint)text.Length && text[_pos] == (inObject ? (byte)'}' : (byte)']'))
                    {
                        goto AfterValue;
                    }

                    if (inObject && !ReadName(open, members, ref names))
                    {
                        return;
                    }

                    continue;
                case (byte)'t':
                    if (!Literal("true"u8, JsonToken.True(_pos)))
                    {
                        return;
                    }

                    break;
                case (byte)'f':
                    if (!Literal("false"u8, JsonToken.Scalar(JsonTypes.Boolean, _pos, 5)))
                    {
                        return;
                    }

                    break;
                case (byte)'n':
                    if (!Literal("null"u8, JsonToken.Scalar(JsonTypes.Null, _pos, 4)))
                    {
                        return;
                    }

                    break;
                default:
                    if (!ReadNumber())
                    {
                        return;
                    }

                    break;
            }

            if (open < 0)
            {
                break;
            }

            members++;
            SkipSpace();

        AfterValue:
            while (true)
            {
                if ((uint)_pos >= (uint)text.Length)
                {
                    _fault = JsonTextFault.Syntax;
                    return;
                }

                b = text[_pos];
                if (b == (byte)',' && members > 0)
                {
                    _pos++;
                    SkipSpace();
                    if (inObject && !ReadName(open, members, ref names))
                    {
                        return;
                    }

                    break;
                }

                if (b != (inObject ? (byte)'}' : (byte)']'))
                {
                    _fault = JsonTextFault.Syntax;
                    return;
                }

                _pos++;
                int parent = _tokens[open].Link;
                _tokens[open].Length = 0;
                _tokens[open].Close(_count, members);
                if (inObject && members > SmallObject && !NamesDiffer(open, members))
                {
                    _fault = JsonTextFault.DuplicateName;
                    return;
                }

                // Where the outer names were not kept (deep nesting), all bits set sends each further name to the exact comparison.
                names = depth <= outerNames.Length ? outerNames[depth - 1] : ulong.MaxValue;
                depth--;
                open = parent;
                if (open < 0)
                {
                    goto Done;
                }

                inObject = _tokens[open].Type == JsonTypes.Object;
                members = _tokens[open].Length + 1;
                SkipSpace();
            }
        }

    Done:
        SkipSpace();
        if (_pos != text.Length)
        {
            _fault = JsonTextFault.Syntax;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipSpace()
    {
        ReadOnlySpan<byte> text = _text;
        int pos = _pos;
        while ((uint)pos < (uint)text.Length && text[pos] <= (byte)' ' && text[pos] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            pos++;
        }

        _pos = pos;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Room()
    {
        if (_count >= _maxTokens)
        {
            _fault = JsonTextFault.TooManyTokens;
            return false;
        }

        if (_count == _tokens.Length)
        {
            _tokens = _tape.GrowTokens();
        }

        return true;
    }

    private bool Literal(ReadOnlySpan<byte> word, JsonToken token)
    {
        if (!_text[_pos..].StartsWith(word))
        {
            _fault = JsonTextFault.Syntax;
            return false;
        }

        if (!Room())
        {
            return false;
        }

        _tokens[_count++] = token;
        _pos += word.Length;
        return true;
    }

    /// <summary>Reads a member name and its colon, up to the first byte of the value.</summary>
    private bool ReadName(int open, int members, ref ulong names)
    {
        if ((uint)_pos >= (uint)_text.Length || _text[_pos] != (byte)'"')
        {
            _fault = JsonTextFault.Syntax;
            return false;
        }

        int start = _pos;
        if (!ReadString(true))
        {
            return false;
        }

        if (members < SmallObject)
        {
            // One bit a name: as long as the bit is free, the name is new and nothing needs comparing.
            ulong bit = 1UL << (_tokens[_count - 1].Link & 63);
            if ((names & bit) != 0 && IsRepeated(open, members))
            {
                _fault = JsonTextFault.DuplicateName;
                _pos = start;
                return false;
            }

            names |= bit;
        }

        SkipSpace();
        if ((uint)_pos >= (uint)_text.Length || _text[_pos] != (byte)':')
        {
            _fault = JsonTextFault.Syntax;
            return false;
        }

        _pos++;
        SkipSpace();
        return true;
    }

    private readonly ReadOnlySpan<byte> Bytes(in JsonToken token) =>
        (token.IsDecoded ? _tape.Decoded : _text).Slice(token.Start, token.Length);

    /// <summary>Whether the name just read is among the names before it in the same object.</summary>
    private readonly bool IsRepeated(int open, int members)
    {
        ref readonly JsonToken name = ref _tokens[_count - 1];
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

    private bool ReadString(bool isName)
    {
        if (!Room())
        {
            return false;
        }

        int start = _pos + 1;
        int end = EndOfPlain(_text, start);
        if ((uint)end < (uint)_text.Length && _text[end] == (byte)'"')
        {
            int length = end - start;
            _tokens[_count++] = JsonToken.Text(start, length, false, isName ? NameHash.Of(_text.Slice(start, length)) : 0);
            _pos = end + 1;
            return true;
        }

        return ReadEscapedString(start, end, isName);
    }

    /// <summary>The index of the first byte that ends a string or needs a look: a quote, a backslash or a control character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int EndOfPlain(ReadOnlySpan<byte> text, int pos)
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

    private bool ReadEscapedString(int start, int firstSpecial, bool isName)
    {
        // Find the end first, so that the room asked for is bounded by this string and not by the text.
        int end = firstSpecial;
        while (true)
        {
            if ((uint)end >= (uint)_text.Length || _text[end] < (byte)' ')
            {
                _pos = Math.Min(end, _text.Length);
                _fault = JsonTextFault.Syntax;
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
                _pos = start + Math.Min(read, inside.Length);
                return false;
            }
        }

        _tape.CommitDecoded(written);
        _tokens[_count++] = JsonToken.Text(decodedStart, written, true, isName ? NameHash.Of(room[..written]) : 0);
        _pos = end + 1;
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
            _fault = JsonTextFault.Syntax;
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

    private static int Hex4(ReadOnlySpan<byte> text, int start)
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

    private bool ReadNumber()
    {
        ReadOnlySpan<byte> text = _text;
        int start = _pos;
        int pos = start;
        if (text[pos] == (byte)'-')
        {
            pos++;
        }

        int digitsStart = pos;
        if ((uint)pos < (uint)text.Length && text[pos] == (byte)'0')
        {
            pos++;
        }
        else
        {
            pos = SkipDigits(text, pos);
        }

        int digits = pos - digitsStart;
        if (digits == 0)
        {
            _fault = JsonTextFault.Syntax;
            return false;
        }

        int type = JsonTypes.Integer;
        if ((uint)pos < (uint)text.Length && text[pos] == (byte)'.')
        {
            type = JsonTypes.Decimal;
            int fraction = pos + 1;
            pos = SkipDigits(text, fraction);
            if (pos == fraction)
            {
                _pos = pos;
                _fault = JsonTextFault.Syntax;
                return false;
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
                _pos = pos;
                _fault = JsonTextFault.Syntax;
                return false;
            }
        }

        if (digits > JsonTextLimits.MaxNumberDigits || exponent > JsonTextLimits.MaxNumberExponent)
        {
            _fault = JsonTextFault.NumberTooLong;
            return false;
        }

        if (!Room())
        {
            return false;
        }

        _tokens[_count++] = JsonToken.Scalar(type, start, pos - start);
        _pos = pos;
        return true;
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
