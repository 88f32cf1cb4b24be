using System.Collections.Frozen;
using System.Text;

namespace Mcp.Guard.Unicode;

/// <summary>
/// The compatibility (NFKC) reading of a text as far as it makes ASCII out of other characters: full-width letters, leader dots, superscripts.
/// Only those can become a separator, a dot or a letter of a reserved name; everything else stays as it is.
/// </summary>
internal static class AsciiFolding
{
    private static readonly FrozenDictionary<int, string> Folds = Load();

    /// <summary>The NFKC form of one character where that holds an ASCII character, else null.</summary>
    public static string? Fold(Rune rune)
    {
        if (rune.IsAscii)
        {
            return null;
        }

        return Folds.TryGetValue(rune.Value, out string? text) ? text : null;
    }

    /// <summary>True where NFKC or a simple case mapping makes ASCII out of a character that is not.</summary>
    public static bool TurnsIntoAscii(Rune rune) =>
        !rune.IsAscii && (Folds.ContainsKey(rune.Value) || Rune.ToUpperInvariant(rune).IsAscii || Rune.ToLowerInvariant(rune).IsAscii
            // .NET leaves these three out of its simple mappings; other runtimes do not.
            || rune.Value is 0x130 or 0x131 or 0x17F);

    private static FrozenDictionary<int, string> Load()
    {
        var folds = new Dictionary<int, string>();
        ReadOnlySpan<char> rest = UnicodeTables.AsciiFolds;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf('\n');
            Rune.DecodeFromUtf16(rest, out Rune from, out int used);
            folds.Add(from.Value, new string(rest[used..end]));
            rest = rest[(end + 1)..];
        }

        return folds.ToFrozenDictionary();
    }
}
