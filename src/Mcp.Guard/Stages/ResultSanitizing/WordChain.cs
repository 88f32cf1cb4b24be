namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// The words of one text as rules read them, sentence by sentence. What was read of a word is kept for the anchors right behind: in a text that is nothing
/// but anchors each would read the same words again.
/// </summary>
internal ref struct WordChain
{
    /// <summary>How many words are kept; a power of two.</summary>
    public const int Kept = 64;

    /// <summary>How many characters around an anchor its words are taken from.</summary>
    public const int Reach = 160;

    private readonly ReadOnlySpan<char> text;
    private readonly WordVocabulary vocabulary;
    private readonly Span<Entry> kept;

    /// <param name="text">The text.</param>
    /// <param name="vocabulary">The words of the rules.</param>
    /// <param name="kept">Room for <see cref="Kept"/> words, cleared.</param>
    public WordChain(ReadOnlySpan<char> text, WordVocabulary vocabulary, Span<Entry> kept)
    {
        this.text = text;
        this.vocabulary = vocabulary;
        this.kept = kept;
    }

    /// <summary>Fills in the words from an index to the end of the sentence, the reach or the room.</summary>
    public readonly int After(int at, Span<Word> words, out int end)
    {
        int limit = Math.Min(text.Length, at + Reach);
        int count = 0;
        int next = NextWord(at, limit);
        end = at;
        while (next >= 0 && next < limit && count < words.Length)
        {
            ref Entry entry = ref kept[next & (Kept - 1)];
            if (entry.StartPlusOne != next + 1)
            {
                int last = Math.Min(text.Length, next + Reach);
                int stop = next;
                while (stop < last && IsWord(text[stop]))
                {
                    stop++;
                }

                entry.StartPlusOne = next + 1;
                entry.Word.Number = vocabulary.Read(text[next..stop], out entry.Word.Stems);
                entry.End = stop;
                entry.Next = NextWord(stop, last);
            }

            words[count++] = entry.Word;
            end = entry.End;
            next = entry.Next;
        }

        return count;
    }

    /// <summary>Fills in the last words before an index in its sentence, in reading order at the end of the span.</summary>
    public readonly int Before(int at, Span<Word> words)
    {
        int limit = Math.Max(0, at - Reach);
        int count = 0;
        while (at > limit && count < words.Length)
        {
            if (IsWord(text[at - 1]))
            {
                int end = at;
                while (at > limit && IsWord(text[at - 1]))
                {
                    at--;
                }

                ref Word word = ref words[^++count];
                word.Number = vocabulary.Read(text[at..end], out word.Stems);
                continue;
            }

            if (EndsSentence(at - 1))
            {
                break;
            }

            at--;
        }

        return count;
    }

    /// <summary>The start of the next word of the sentence, or -1.</summary>
    private readonly int NextWord(int at, int limit)
    {
        for (; at < limit; at++)
        {
            if (IsWord(text[at]))
            {
                return at;
            }

            if (EndsSentence(at))
            {
                return -1;
            }
        }

        return -1;
    }

    private static bool IsWord(char c) => c < 0x80 ? char.IsAsciiLetterOrDigit(c) || c is '\'' or '-' or '_' : char.IsLetterOrDigit(c) || c == '\u2019';

    private readonly bool EndsSentence(int at) =>
        text[at] is '!' or '?' || (text[at] == '.' && (at + 1 == text.Length || text[at + 1] is ' ' or '\n' or '\r' or '"'))
        || (text[at] == '\n' && at + 1 < text.Length && text[at + 1] is '\n' or '-' or '*' or '#');

    /// <summary>A word as the rules know it.</summary>
    internal struct Word
    {
        public int Number;
        public uint Stems;
    }

    /// <summary>A word that was read, where it ends and where the next one starts.</summary>
    internal struct Entry
    {
        public int StartPlusOne;
        public int End;
        public int Next;
        public Word Word;
    }
}
