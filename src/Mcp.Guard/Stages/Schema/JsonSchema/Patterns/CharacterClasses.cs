using System.Globalization;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The named classes of ECMA-262 patterns, as that standard defines them (sections 22.2.2.7 to 22.2.2.9).</summary>
internal static class CharacterClasses
{
    public static readonly (int First, int Last)[] Digits = [('0', '9')];

    public static readonly (int First, int Last)[] Words = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

    /// <summary>WhiteSpace and LineTerminator: not U+0085, but U+FEFF.</summary>
    public static readonly (int First, int Last)[] Spaces =
    [
        (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F),
        (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    ];

    public static readonly (int First, int Last)[] LineTerminators = [('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)];

    public static readonly (int First, int Last)[] Everything = [(0, CharacterSet.MaxCodePoint)];

    public static (int First, int Last)[] Complement((int First, int Last)[] sorted)
    {
        var result = new List<(int, int)>();
        int next = 0;
        foreach ((int first, int last) in sorted)
        {
            if (first > next)
            {
                result.Add((next, first - 1));
            }

            next = last + 1;
        }

        if (next <= CharacterSet.MaxCodePoint)
        {
            result.Add((next, CharacterSet.MaxCodePoint));
        }

        return [.. result];
    }

    /// <summary>The general categories that a value of <c>General_Category</c> names, long or short, as bits; 0 where it is none.</summary>
    public static uint Categories(string name) => name switch
    {
        "Lu" or "Uppercase_Letter" => Bit(UnicodeCategory.UppercaseLetter),
        "Ll" or "Lowercase_Letter" => Bit(UnicodeCategory.LowercaseLetter),
        "Lt" or "Titlecase_Letter" => Bit(UnicodeCategory.TitlecaseLetter),
        "LC" or "Cased_Letter" => Bit(UnicodeCategory.UppercaseLetter) | Bit(UnicodeCategory.LowercaseLetter) | Bit(UnicodeCategory.TitlecaseLetter),
        "Lm" or "Modifier_Letter" => Bit(UnicodeCategory.ModifierLetter),
        "Lo" or "Other_Letter" => Bit(UnicodeCategory.OtherLetter),
        "L" or "Letter" => Range(UnicodeCategory.UppercaseLetter, UnicodeCategory.OtherLetter),
        "Mn" or "Nonspacing_Mark" => Bit(UnicodeCategory.NonSpacingMark),
        "Mc" or "Spacing_Mark" => Bit(UnicodeCategory.SpacingCombiningMark),
        "Me" or "Enclosing_Mark" => Bit(UnicodeCategory.EnclosingMark),
        "M" or "Mark" or "Combining_Mark" => Range(UnicodeCategory.NonSpacingMark, UnicodeCategory.EnclosingMark),
        "Nd" or "Decimal_Number" or "digit" => Bit(UnicodeCategory.DecimalDigitNumber),
        "Nl" or "Letter_Number" => Bit(UnicodeCategory.LetterNumber),
        "No" or "Other_Number" => Bit(UnicodeCategory.OtherNumber),
        "N" or "Number" => Range(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.OtherNumber),
        "Zs" or "Space_Separator" => Bit(UnicodeCategory.SpaceSeparator),
        "Zl" or "Line_Separator" => Bit(UnicodeCategory.LineSeparator),
        "Zp" or "Paragraph_Separator" => Bit(UnicodeCategory.ParagraphSeparator),
        "Z" or "Separator" => Range(UnicodeCategory.SpaceSeparator, UnicodeCategory.ParagraphSeparator),
        "Cc" or "Control" or "cntrl" => Bit(UnicodeCategory.Control),
        "Cf" or "Format" => Bit(UnicodeCategory.Format),
        "Cs" or "Surrogate" => Bit(UnicodeCategory.Surrogate),
        "Co" or "Private_Use" => Bit(UnicodeCategory.PrivateUse),
        "Cn" or "Unassigned" => Bit(UnicodeCategory.OtherNotAssigned),
        "C" or "Other" => Range(UnicodeCategory.Control, UnicodeCategory.PrivateUse) | Bit(UnicodeCategory.OtherNotAssigned),
        "Pc" or "Connector_Punctuation" => Bit(UnicodeCategory.ConnectorPunctuation),
        "Pd" or "Dash_Punctuation" => Bit(UnicodeCategory.DashPunctuation),
        "Ps" or "Open_Punctuation" => Bit(UnicodeCategory.OpenPunctuation),
        "Pe" or "Close_Punctuation" => Bit(UnicodeCategory.ClosePunctuation),
        "Pi" or "Initial_Punctuation" => Bit(UnicodeCategory.InitialQuotePunctuation),
        "Pf" or "Final_Punctuation" => Bit(UnicodeCategory.FinalQuotePunctuation),
        "Po" or "Other_Punctuation" => Bit(UnicodeCategory.OtherPunctuation),
        "P" or "Punctuation" or "punct" => Range(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.OtherPunctuation),
        "Sm" or "Math_Symbol" => Bit(UnicodeCategory.MathSymbol),
        "Sc" or "Currency_Symbol" => Bit(UnicodeCategory.CurrencySymbol),
        "Sk" or "Modifier_Symbol" => Bit(UnicodeCategory.ModifierSymbol),
        "So" or "Other_Symbol" => Bit(UnicodeCategory.OtherSymbol),
        "S" or "Symbol" => Range(UnicodeCategory.MathSymbol, UnicodeCategory.OtherSymbol),
        "Assigned" => AllCategories & ~Bit(UnicodeCategory.OtherNotAssigned),
        _ => 0,
    };

    public const uint AllCategories = (1u << 30) - 1;

    private static uint Bit(UnicodeCategory category) => 1u << (int)category;

    private static uint Range(UnicodeCategory first, UnicodeCategory last)
    {
        uint bits = 0;
        for (UnicodeCategory category = first; category <= last; category++)
        {
            bits |= Bit(category);
        }

        return bits;
    }
}
