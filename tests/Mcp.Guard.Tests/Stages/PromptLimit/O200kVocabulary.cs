using System.IO.Compression;
using System.Reflection;
using System.Text;
using Mcp.Guard.Stages.PromptLimit;

namespace Mcp.Guard.Tests.Stages.PromptLimit;

/// <summary>The published vocabulary, and the tables that <see cref="TokenBoundTables"/> must hold for it.</summary>
internal static class O200kVocabulary
{
    public static HashSet<string> Read()
    {
        Assembly data = Assembly.Load("Microsoft.ML.Tokenizers.Data.O200kBase");
        using Stream packed = data.GetManifestResourceStream(data.GetManifestResourceNames()[0])!;
        using var reader = new StreamReader(new DeflateStream(packed, CompressionMode.Decompress));

        // Tokens as Latin-1 strings: one character a byte, so that they hash and compare by value.
        var tokens = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith("Capacity", StringComparison.Ordinal) && line.Length > 0)
            {
                tokens.Add(Encoding.Latin1.GetString(Convert.FromBase64String(line.Split(' ')[0])));
            }
        }

        return tokens;
    }

    public static byte[] BuildTables(HashSet<string> tokens)
    {
        byte[] tables = new byte[TokenBoundTables.Size];
        foreach (string token in tokens)
        {
            if (token.Length == 2 && token[0] < 128 && token[1] < 128)
            {
                Set(tables, 0, (token[0] << 7) | token[1]);
            }

            if (token.Length == 3 && TokenBoundTables.FirstLetter(token[0]) is >= 0 and int first && char.IsAsciiLetterLower(token[1]) && char.IsAsciiLetterLower(token[2]))
            {
                Set(tables, TokenBoundTables.TrigramsAt, (((first * 26) + token[1] - 'a') * 26) + token[2] - 'a');
            }
        }

        var tails = new HashSet<string>(StringComparer.Ordinal);
        var heads = new HashSet<string>(StringComparer.Ordinal);
        foreach (string token in tokens)
        {
            for (int back = 1; back <= 3 && back < token.Length; back++)
            {
                string end = token[^back..];
                if (CharacterLength(end[0]) > back && end.Skip(1).All(IsContinuation))
                {
                    tails.Add(end);
                    Set(tables, TokenBoundTables.TailsAt, (token[token.Length - back - 1] << 8) | end[0]);
                }
            }

            int lead = token.TakeWhile(IsContinuation).Count();
            if (lead > 0 && lead < token.Length)
            {
                heads.Add(token[..lead]);
                Set(tables, TokenBoundTables.HeadsAt, (token[lead - 1] << 8) | token[lead]);
            }
        }

        for (int c = 0x80; c < TokenBoundTables.EmojiEnd; c++)
        {
            int at = c < 0x10000 ? TokenBoundTables.WeightsAt + c : c >= TokenBoundTables.Emoji ? TokenBoundTables.EmojiWeightsAt + c - TokenBoundTables.Emoji : -1;
            if (at < 0 || !Rune.IsValid(c))
            {
                continue;
            }

            string bytes = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(new Rune(c).ToString()));
            foreach (bool afterTail in (bool[])[false, true])
            {
                foreach (bool beforeHead in (bool[])[false, true])
                {
                    int weight = Weight(bytes, tokens, afterTail ? tails : [], beforeHead ? heads : []);
                    tables[at] |= (byte)((weight - 1) << TokenBoundTables.WeightShift(afterTail, beforeHead));
                }
            }
        }

        int spaces = 0;
        while (spaces < 255 && tokens.Contains(new string(' ', spaces + 1)))
        {
            spaces++;
        }

        tables[TokenBoundTables.SpacesAt] = (byte)spaces;
        return tables;
    }

    /// <summary>The most tokens that can begin inside a character: every way to cut it is tried.</summary>
    private static int Weight(string bytes, HashSet<string> tokens, HashSet<string> tails, HashSet<string> heads)
    {
        int most = 1;
        for (int cuts = 1; cuts < 1 << bytes.Length; cuts++)
        {
            int[] starts = [.. Enumerable.Range(0, bytes.Length).Where(i => (cuts >> i & 1) != 0)];
            if (starts.Length <= most || (starts[0] > 0 && !tails.Contains(bytes[..starts[0]])))
            {
                continue;
            }

            string[] parts = [.. starts.Select((start, i) => bytes[start..(i + 1 < starts.Length ? starts[i + 1] : bytes.Length)])];
            bool inner = parts[..^1].All(tokens.Contains) && Enumerable.Range(0, parts.Length - 2).All(i => !tokens.Contains(parts[i] + parts[i + 1]));
            bool endsHere = tokens.Contains(parts[^1]) && !tokens.Contains(parts[^2] + parts[^1]);
            if (inner && (endsHere || heads.Contains(parts[^1])))
            {
                most = starts.Length;
            }
        }

        return most;
    }

    private static bool IsContinuation(char b) => (b & 0xC0) == 0x80;

    private static int CharacterLength(char lead) => lead switch { >= (char)0xF0 => 4, >= (char)0xE0 => 3, >= (char)0xC0 => 2, _ => 1 };

    private static void Set(byte[] tables, int at, int bit) => tables[at + (bit >> 3)] |= (byte)(1 << (bit & 7));
}
