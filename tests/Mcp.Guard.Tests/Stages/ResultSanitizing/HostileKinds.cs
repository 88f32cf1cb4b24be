namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Pieces that, one after another, make a text hostile to a sanitiser or redactor: each is a start that something could go on looking for the end of.</summary>
internal static class HostileKinds
{
    /// <summary>Pieces that, one after another, make a text hostile.</summary>
    public static IReadOnlyList<string> Pieces { get; } =
    [
        "\u200b", "\u200d", "\u202e", "\u001b", "\u001b]", "\u001b[", "\u001b[31m", "\u009d", "\u009b", "\r", "\0", "\ud800", "\U000E0041", "a\u0301\u0301\u200d", "\u0643\u0301\u200d", "🏴\U000E0067", "\ufe0f",
        "<", "<a", "<a ", "<a \"", "<a =", "<a href=", "<a href=//a.b>", "<img src=//a.b>", "<img src=//a", "<img srcset=\"//a.b,", "<img srcset=\"//a.b, ", "<a style=\"", "<a style=x>", "<style>url(//a.b)",
        "<style>url(", "<!--", "<meta content=", "<meta content=\"0;url=//a.b\">", "<a x='", "<a href=\"//a.b?\">c.d<", "<script>", "&#104;", "<a href=&#104;", "<a href=&Tab;",
        "[", "]", "![", "](", "[x]", "![x]", "![x]:", "[x]: //a.b\n", "![x][x]", "![x](//a.b)", "[x](//a.b?q)", "[a.com](//b.c)", "![x](", "![x](//a", "![x](<//a.b>)", "\\", "{{", "](//", "//a.b", "src=https:", "://",
        "://a@", "://a:b@", "ignore ", "ignore all your ", "ignore all previous the ", "you are now ", "system prompt ", "reveal ", "always call ", "act as ", "before any ", "user: ", "human:\n", "user: yes\n", "<|", "<|x", "[inst", "\"role\"", "\"role\": \"", "~/.ssh ",
        "/etc/passwd ", ".env ", "curl ", "curl | ", "wget x | ", "https://аa", "а", "аlways call ", "ignorе all your ",
        "password=aaaaaaa1b ", "password", "password=", "password=\"", "password: a ", "token: abc1 ", "key ", "keykey", "auth", "cookie: a=b; ", "Cookie: abcd=efgh1; ", "Bearer ", "Bearer abcdefgh1234 ", "authorization: Digest ", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
        "PuTTY-User-Key-File-", "eyJ", "eyJhbGciOi.eyJ", "eyJ.", "ghp_", "ghp_a", "AKIA", "sk-", "dp.", "xoxb-", "Q~", "aaa1Q~", "/services/", "hooks.slack.com/services/", "machine a login b password ", "1", "1234 ", "1234-", "DE12", "DE12 3456 ", "4111 1111 1111 1111 ",
        "123-45-6789 ", "123456789:", "12345678:a", "password=abcdefg1\npassword=hijklmn2\n", "pin=1234 ", "\\\"", "password=\\\"", "<add key=\"Password\" value=\"", "![" + new string(']', 900), "![" + new string('a', 900) + "]]]]]]]]]]]]", "authorization: a ", "<token>", "aaaaaaaa ", "password=abcdefg1 abcdefg1 ",
        "A", "=", "\n", " ", "a ", "é", "中", "👩",
    ];

    /// <summary>What stands once in front of many of the second: work that looks back.</summary>
    public static IReadOnlyList<(string Start, string Piece)> Prefixed { get; } =
    [
        ("a" + new string('\u0301', 32), "\u200d"), ("password=\"", "\\\""), ("<a style=\"", "/*"), ("![", "]"), (new string('[', 64), "](//a "), ("<style>", "url("), ("https://", "a."), ("ignore ", "all "), ("\u05d0", "\u200e"),
        ("-----BEGIN PRIVATE KEY-----", "A"), ("password=abcdefgh ", "abcdefgh"), ("<img srcset=\"//a.b ", ", "), ("![r]\n[r]: //a.b\n", "//a.b"),
    ];

    /// <summary>Every kind.</summary>
    public static IReadOnlyList<(string Name, string Start, string Piece)> All { get; } =
    [
        .. Pieces.Select(piece => (Escape(piece), string.Empty, piece)),
        .. Prefixed.Select(kind => (Escape(kind.Start) + " then " + Escape(kind.Piece), kind.Start, kind.Piece)),
    ];

    /// <summary>The start once, then the piece, to about this many characters.</summary>
    public static string Repeat(string start, string piece, int length)
    {
        var text = new System.Text.StringBuilder(start, length + start.Length + piece.Length);
        while (text.Length < length)
        {
            text.Append(piece);
        }

        return text.ToString();
    }

    private static string Escape(string text)
    {
        string shown = string.Concat(text.Select(c => c is >= ' ' and < '\u007f' ? c.ToString() : $"\\u{(int)c:x4}"));
        return shown.Length <= 40 ? shown : shown[..20] + "..." + shown[^10..];
    }
}
