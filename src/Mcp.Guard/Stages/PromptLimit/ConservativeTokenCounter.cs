using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Mcp.Guard.Stages.PromptLimit;

/// <summary>
/// The built-in token counter: an upper bound of the tokens that o200k_base makes of a text. It never counts fewer; for English it counts two to three
/// times as many. For the exact number use the package Mcp.Guard.Tokenizers.
/// </summary>
/// <remarks>
/// <para>
/// Why it is a bound: byte pair encoding ends when no two neighbouring tokens of a piece are together a token. So of all ways to cut the text, those in which
/// two neighbours are known to be together a token cannot be what the encoder made. The counter takes the largest number of tokens over all other ways, by
/// dynamic programming over what it knows: all tokens of two ASCII characters, those of a space or letter with two lower-case letters, and how many tokens
/// can begin inside each other character. What it does not know only makes the number larger. It relies on two neighbours being in one piece only where the
/// vocabulary's splitting pattern leaves no doubt.
/// </para>
/// <para>One pass, no memory, any text, lone surrogates included.</para>
/// </remarks>
internal sealed class ConservativeTokenCounter : ITokenCounter
{
    private const long Impossible = long.MinValue / 2;

    // Some encoders write a lone surrogate as U+FFFD and some as three bytes of its own, which are no character of UTF-8.
    private const int LoneSurrogateWeight = 3;
    private const int UnknownByte = 256;

    /// <summary>The only instance that is needed.</summary>
    public static readonly ConservativeTokenCounter Instance = new(TokenBoundTables.Instance);

    private readonly TokenBoundTables _tables;

    internal ConservativeTokenCounter(TokenBoundTables tables) => _tables = tables;

    /// <inheritdoc/>
    public int Count(ReadOnlySpan<char> text)
    {
        var run = new Run(_tables);
        int position = 0;
        int lettersAfterApostrophe = int.MaxValue;
        while (position < text.Length)
        {
            char c = text[position];
            if (c >= 0x80)
            {
                position = AddOther(ref run, text, position);
                lettersAfterApostrophe = int.MaxValue;
                continue;
            }

            if (char.IsAsciiDigit(c))
            {
                int digits = LengthOf(text[position..].IndexOfAnyExceptInRange('0', '9'), text.Length - position);

                // Pieces of up to three digits are one token each. Digits that are not ASCII may share the first piece and the last.
                bool begunBefore = position > 0 && text[position - 1] >= 0x80;
                bool endsBehind = position + digits < text.Length && text[position + digits] >= 0x80;
                run.AddDigits((begunBefore ? 1 + ((digits + 1) / 3) : (digits + 2) / 3) + (endsBehind ? 1 : 0), text[position + digits - 1]);
                position += digits;
                lettersAfterApostrophe = int.MaxValue;
                continue;
            }

            if (c == ' ')
            {
                int spaces = LengthOf(text[position..].IndexOfAnyExcept(' '), text.Length - position);
                if (spaces > 1)
                {
                    // Two neighbouring runs of spaces are together longer than the longest that is a token; the last may reach into other white space.
                    bool goesOn = position + spaces < text.Length && IsWhiteSpace(text[position + spaces]);
                    bool cameBefore = position > 0 && IsWhiteSpace(text[position - 1]);
                    run.AddSpaces((2L * ((spaces - 1) / (_tables.LongestSpaces + 1))) + 1 + (goesOn ? 1 : 0), cameBefore);
                    position += spaces - 1;
                }
            }

            bool isLetter = char.IsAsciiLetter(c);
            bool glued = run.Previous >= 0 && IsOnePiece(run.Previous, c) && !(isLetter && lettersAfterApostrophe < 3);
            run.Add(c, glued);
            lettersAfterApostrophe = c == '\'' ? 0 : isLetter && lettersAfterApostrophe < 3 ? lettersAfterApostrophe + 1 : int.MaxValue;
            position++;
        }

        return (int)Math.Min(int.MaxValue, run.Total);
    }

    /// <summary>Whether two neighbouring ASCII characters are in one piece in every text, contractions ('s, 'll) left aside.</summary>
    private static bool IsOnePiece(int first, char second)
    {
        if (char.IsAsciiLetter(second))
        {
            // A capital after a small letter begins a new piece; a space belongs to the word behind it.
            return first == ' ' || (char.IsAsciiLetter((char)first) && !(char.IsAsciiLetterLower((char)first) && char.IsAsciiLetterUpper(second)));
        }

        if (IsSign(second))
        {
            // A slash may end the line ends of an earlier piece.
            return first == ' ' || (IsSign((char)first) && first != '/');
        }

        return second is '\r' or '\n' && first is '\r' or '\n';
    }

    private static bool IsSign(char c) => !char.IsAsciiLetterOrDigit(c) && !IsWhiteSpace(c);

    private static bool IsWhiteSpace(char c) => c is ' ' or (>= '\t' and <= '\r') || (c >= 0x80 && char.IsWhiteSpace(c));

    private static int LengthOf(int end, int rest) => end < 0 ? rest : end;

    private int AddOther(ref Run run, ReadOnlySpan<char> text, int position)
    {
        if (Rune.DecodeFromUtf16(text[position..], out Rune rune, out int length) != OperationStatus.Done)
        {
            run.AddOther(LoneSurrogateWeight, UnknownByte);
            return position + length;
        }

        Span<byte> bytes = stackalloc byte[4];
        int count = rune.EncodeToUtf8(bytes);
        int next = FirstByte(text[(position + length)..]);
        bool afterTail = run.LastByte == UnknownByte || (run.LastByte >= 0 && _tables.IsTail(run.LastByte, bytes[0]));
        bool beforeHead = next == UnknownByte || (next >= 0 && _tables.IsHead(bytes[count - 1], next));
        run.AddOther(_tables.Weight(rune.Value, afterTail, beforeHead), bytes[count - 1]);
        return position + length;
    }

    private static int FirstByte(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return -1;
        }

        Span<byte> bytes = stackalloc byte[4];
        return Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && rune.EncodeToUtf8(bytes) > 0 ? bytes[0] : UnknownByte;
    }

    /// <summary>
    /// A run of ASCII characters. For the last positions it holds the largest number of tokens that end there, by the length of the last token: one byte, two
    /// bytes, or more. What came before the run is only a number: any token may have gone before it, and may reach into it.
    /// </summary>
    private ref struct Run
    {
        private readonly TokenBoundTables _tables;
        private long _base;
        private int _length;
        private (long One, long Two, long More) _here;
        private (long One, long Two, long More) _before;
        private long _bestUpToHere;
        private long _bestUpToBefore;
        private long _bestUpToTwoBefore;
        private int _beforePrevious;
        private bool _previousGlued;

        public Run(TokenBoundTables tables)
        {
            _tables = tables;
            Restart(0, -1);
        }

        /// <summary>The ASCII character before in this run, or -1.</summary>
        public int Previous { get; private set; }

        /// <summary>The last byte before, or -1 at the start.</summary>
        public int LastByte { get; private set; }

        public readonly long Total => Math.Max(_here.One, Math.Max(_here.Two, _here.More));

        /// <summary>The largest number where the last token may reach behind the run.</summary>
        private readonly long OpenTotal => _length == 0 ? _base : Math.Max(Total, 1 + _bestUpToBefore);

        /// <summary>Adds a character.</summary>
        /// <param name="c">The character.</param>
        /// <param name="glued">Whether it is surely in one piece with the one before.</param>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(int c, bool glued)
        {
            bool isPair = Previous >= 0 && _tables.IsPair(Previous, c);
            bool isTrigram = glued && _previousGlued && _tables.IsTrigram(_beforePrevious, Previous, c);

            // Two neighbours that are together a token cannot be what the encoder left.
            long one = 1 + Math.Max(Math.Max(isPair && glued ? Impossible : _here.One, isTrigram ? Impossible : _here.Two), _here.More);
            long two = isPair ? 1 + Math.Max(Math.Max(isTrigram ? Impossible : _before.One, _before.Two), _before.More) : Impossible;
            long more = _length >= 2 ? 1 + _bestUpToTwoBefore : _base;

            _before = _here;
            _here = (one, two, more);
            _bestUpToTwoBefore = _bestUpToBefore;
            _bestUpToBefore = _bestUpToHere;
            _bestUpToHere = Math.Max(_bestUpToHere, Total);
            _beforePrevious = Previous;
            _previousGlued = glued;
            Previous = c;
            LastByte = c;
            _length++;
        }

        /// <summary>Adds a character that is not ASCII.</summary>
        public void AddOther(int weight, int lastByte) => Restart(OpenTotal + weight, lastByte);

        /// <summary>Adds digits, which are pieces of their own.</summary>
        public void AddDigits(long tokens, int lastByte) => Restart(Total + tokens, lastByte);

        /// <summary>Adds the spaces before the last one of a run of them.</summary>
        public void AddSpaces(long tokens, bool afterWhiteSpace) => Restart((afterWhiteSpace ? OpenTotal : Total) + tokens, ' ');

        private void Restart(long total, int lastByte)
        {
            _base = total;
            _length = 0;
            _here = (Impossible, Impossible, total);
            _before = (Impossible, Impossible, Impossible);
            _bestUpToHere = total;
            _bestUpToBefore = Impossible;
            _bestUpToTwoBefore = Impossible;
            _beforePrevious = -1;
            _previousGlued = false;
            Previous = -1;
            LastByte = lastByte;
        }
    }
}
