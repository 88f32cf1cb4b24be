using System.Buffers;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>The characters that the body of a credential is written in.</summary>
internal static class SecretAlphabet
{
    private const string Digits = "0123456789";
    private const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private const string Lower = "abcdefghijklmnopqrstuvwxyz";

    public static readonly SearchValues<char> Hex = SearchValues.Create(Digits + "abcdefABCDEF");
    public static readonly SearchValues<char> UpperDigit = SearchValues.Create(Digits + Upper);
    public static readonly SearchValues<char> LowerDigit = SearchValues.Create(Digits + Lower);
    public static readonly SearchValues<char> Alphanumeric = SearchValues.Create(Digits + Upper + Lower);

    /// <summary>Letters, digits, underscore.</summary>
    public static readonly SearchValues<char> Word = SearchValues.Create(Digits + Upper + Lower + "_");

    /// <summary>Base64url: word characters and hyphen.</summary>
    public static readonly SearchValues<char> UrlSafe = SearchValues.Create(Digits + Upper + Lower + "_-");

    /// <summary>Base64url with dots and padding.</summary>
    public static readonly SearchValues<char> Dotted = SearchValues.Create(Digits + Upper + Lower + "_-.=");

    /// <summary>Everything of base64 and base64url (RFC 4648) with padding, and the other characters of token68 (RFC 9110 section 11.2).</summary>
    public static readonly SearchValues<char> Base64 = SearchValues.Create(Digits + Upper + Lower + "+/=_-.~");

    /// <summary>How many characters from <paramref name="start"/> on belong to an alphabet.</summary>
    public static int Run(ReadOnlySpan<char> text, int start, SearchValues<char> alphabet)
    {
        ReadOnlySpan<char> rest = text[start..];
        int end = rest.IndexOfAnyExcept(alphabet);
        return end < 0 ? rest.Length : end;
    }
}
