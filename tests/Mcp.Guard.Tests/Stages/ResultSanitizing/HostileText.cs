using FsCheck;
using FsCheck.Fluent;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Makes texts out of the pieces that sanitisers get wrong, next to each other in every order.</summary>
internal static class HostileText
{
    /// <summary>Characters and sequences that stay, go or depend on their neighbours.</summary>
    private static readonly string[] Characters =
    [
        "a", "b", "Z", "7", " ", ".", ",", "-", "\n", "\t", "\r", "\r\n", "é", "e\u0301", "ß", "中", "葛", "辻", "あ", "한", "ᄀ", "ᅡ", "ᆨ",
        "ه", "ر", "م", "ی", "ا", "ש", "ם", "क", "्", "ष", "র", "য", "ക", "ശ", "ദ", "ก", "ข", "ພ", "မ", "ក", "ᠠ", "ᠭ", "⠁", "⠀",
        "👩", "👨", "🏽", "❤", "🔥", "🏴", "🏳", "🌈", "♂", "#", "1", "⃣", "☎", "∩", "0",
        "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e", "\u202c", "\u2066", "\u2069", "\u2060", "\u2061", "\u00ad", "\u034f",
        "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e", "\u180f", "\u3164", "\uffa0", "\ufeff", "\ufffe", "\ufff9", "\ufe00", "\ufe0e", "\ufe0f",
        "\U000E0100", "\U000E0103", "\U000E01EF", "\U000E0041", "\U000E0067", "\U000E007F", "\U0001D173", "\U0001FFFF",
        "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
        "\0", "\a", "\b", "\v", "\f", "\u007f", "\u0080", "\u0085", "\u2028", "\u2029", "\ud800", "\udc00", "\udb40", "\udc41", "\ud83d", "\ude00",
    ];

    private static readonly string[] Terminal =
    [
        "\u001b", "\u001b[", "\u001b]", "\u001bP", "\u001b_", "\u001b(", "\u001b\\", "\u009b", "\u009d", "\u0090", "\u009c", "\a", "\u0018", "[", "]", "31m", "0;", "m", "?", "\\", "8;;",
    ];

    private static readonly string[] Markup =
    [
        "![", "[", "](", ")", "]", "]:", "](<", ">", "<", "<img src=", "<a href=", "<link href=", "<svg onload=", "style=", "\"", "'", "=", " ", "\n", "\\", "&#104;", "&sol;", "&#x2f;", "&colon;", "&Tab;",
        "https://", "http:", "//", "/", "evil.example", "a.b", "a!.(", ".", ":", "@", "?", "x", "display:none", "<script>", "javascript:", "data:", "image/png", "hxxps:/_/", "[.]", "url(", "srcset=", ",",
        "content=", "0;url=", "<meta ", "<object data=", "\t", "!", "(", "<!--", "//a", "{{", "<style>", "\u00ad", "\u200d", "\u0647",
    ];

    public static Arbitrary<string> OfCharacters => From(Characters);

    public static Arbitrary<string> OfEverything => From([.. Characters, .. Terminal, .. Terminal, .. Markup]);

    public static Arbitrary<string> OfMarkup => From(Markup);

    /// <summary>Random UTF-16, valid or not.</summary>
    public static Arbitrary<string> OfUnits =>
        Gen.ArrayOf(Gen.Choose(0, 0xFFFF).Select(unit => (char)unit)).Select(units => new string(units)).ToArbitrary();

    private static Arbitrary<string> From(string[] pieces) =>
        Gen.ListOf(Gen.Elements(pieces)).Select(list => string.Concat(list)).ToArbitrary();
}
