using System.IO.Compression;

namespace Mcp.Guard.Stages.PromptLimit;

/// <summary>
/// Facts about the vocabulary o200k_base that bound how many tokens a text can have: which short strings are tokens, and into how many pieces a character
/// can fall. They are made from the published vocabulary by the tests, which also compare every one of them with it.
/// </summary>
internal sealed class TokenBoundTables
{
    public const int FirstLetters = 53;
    public const int Emoji = 0x1F000;
    public const int EmojiEnd = 0x20000;

    public const int TrigramsAt = 128 * 128 / 8;
    public const int WeightsAt = TrigramsAt + (((FirstLetters * 26 * 26) + 7) / 8);
    public const int EmojiWeightsAt = WeightsAt + 0x10000;
    public const int TailsAt = EmojiWeightsAt + (EmojiEnd - Emoji);
    public const int HeadsAt = TailsAt + (256 * 256 / 8);
    public const int SpacesAt = HeadsAt + (256 * 256 / 8);
    public const int Size = SpacesAt + 1;

    /// <summary>The name of the embedded resource.</summary>
    public const string ResourceName = "Mcp.Guard.o200k-bound.br";

    private static readonly Lazy<TokenBoundTables> Loaded = new(Load);

    private readonly byte[] _bytes;

    public TokenBoundTables(byte[] bytes) => _bytes = bytes;

    public static TokenBoundTables Instance => Loaded.Value;

    /// <summary>All runs of one space up to this length are single tokens.</summary>
    public int LongestSpaces => _bytes[SpacesAt];

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether two ASCII characters are one token.</summary>
    public bool IsPair(int first, int second) => IsSet(0, (first << 7) | second);

    /// <summary>Whether a space or letter and two lower-case letters are one token; false for other characters.</summary>
    public bool IsTrigram(int first, int second, int third)
    {
        int letter = FirstLetter(first);
        uint two = (uint)(second - 'a');
        uint three = (uint)(third - 'a');
        return letter >= 0 && two < 26 && three < 26 && IsSet(TrigramsAt, (((letter * 26) + (int)two) * 26) + (int)three);
    }

    /// <summary>The most tokens that can begin inside a character that is not ASCII.</summary>
    /// <param name="codePoint">The character.</param>
    /// <param name="afterTail">Whether a token that began before it can end inside it.</param>
    /// <param name="beforeHead">Whether a token that begins inside it, not at its start, can go on behind it.</param>
    public int Weight(int codePoint, bool afterTail, bool beforeHead)
    {
        int at = codePoint < 0x10000 ? WeightsAt + codePoint
            : codePoint is >= Emoji and < EmojiEnd ? EmojiWeightsAt + codePoint - Emoji
            : -1;
        return at < 0 ? 4 : 1 + ((_bytes[at] >> WeightShift(afterTail, beforeHead)) & 3);
    }

    /// <summary>Whether a token exists that has the first byte at the end of a character and ends behind the second, inside the next character.</summary>
    public bool IsTail(int lastByte, int firstByte) => IsSet(TailsAt, (lastByte << 8) | firstByte);

    /// <summary>Whether a token exists that begins inside a character, has the first byte at that character's end and the second behind it.</summary>
    public bool IsHead(int lastByte, int firstByte) => IsSet(HeadsAt, (lastByte << 8) | firstByte);

    /// <summary>Space, a to z, A to Z as 0 to 52; -1 for others.</summary>
    public static int FirstLetter(int c) => c switch
    {
        ' ' => 0,
        >= 'a' and <= 'z' => 1 + c - 'a',
        >= 'A' and <= 'Z' => 27 + c - 'A',
        _ => -1,
    };

    public static int WeightShift(bool afterTail, bool beforeHead) => (afterTail ? 2 : 0) + (beforeHead ? 4 : 0);

    private bool IsSet(int at, int bit) => (_bytes[at + (bit >> 3)] >> (bit & 7) & 1) != 0;

    private static TokenBoundTables Load()
    {
        using Stream packed = typeof(TokenBoundTables).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the assembly lacks its resource {ResourceName}");
        using var unpacked = new BrotliStream(packed, CompressionMode.Decompress);
        byte[] bytes = new byte[Size];
        unpacked.ReadExactly(bytes);
        return new TokenBoundTables(bytes);
    }
}
