using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Reads http and https URLs in the one spelling that RFC 3986 parsers, browsers and <see cref="Uri"/> agree on, and refuses the rest. It
/// corrects nothing: a corrected URL is one that two programs read differently.
/// </summary>
internal static class UrlParser
{
    /// <summary>The longest URL that is read.</summary>
    public const int MaxLength = 8192;

    /// <summary>The longest host name (RFC 1035 section 2.3.4, without the closing dot).</summary>
    public const int MaxHostLength = 253;

    private static readonly SearchValues<char> Printable = SearchValues.Create(
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    private static readonly string[] SpecialSuffixes =
        ["localhost", "localdomain", "local", "internal", "svc", "home.arpa", "lan", "home", "corp", "mail", "intranet", "private", "alt", "test", "invalid", "example", "onion"];

    /// <summary>Reads a URL. The buffer must have <see cref="MaxHostLength"/> characters and outlive the result.</summary>
    public static bool TryParse(ReadOnlySpan<char> url, Span<char> hostBuffer, out ParsedUrl parsed, out UrlDenial denial) =>
        TryParse(url, hostBuffer, pattern: false, out parsed, out _, out denial);

    /// <summary>The same for a pattern: its host may be <c>*</c> or start with <c>*.</c>, which is told apart and not part of the host.</summary>
    public static bool TryParse(ReadOnlySpan<char> url, Span<char> hostBuffer, bool pattern, out ParsedUrl parsed, out bool wildcard, out UrlDenial denial)
    {
        parsed = default;
        wildcard = false;
        if (url.Length > MaxLength)
        {
            denial = UrlDenial.TooLong;
            return false;
        }

        if (!TryAcceptCharacters(url, out int firstOther, out int lastOther))
        {
            denial = UrlDenial.ForbiddenCharacter;
            return false;
        }

        int start;
        if (url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            parsed.IsTls = true;
            start = 8;
        }
        else if (url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            start = 7;
        }
        else
        {
            denial = UrlDenial.NoScheme;
            return false;
        }

        ReadOnlySpan<char> rest = url[start..];
        int slash = rest.IndexOf('/');
        if ((slash < 0 ? rest : rest[..slash]).Contains('@'))
        {
            denial = UrlDenial.UserInfo;
            return false;
        }

        if (rest.Contains('#'))
        {
            denial = UrlDenial.Fragment;
            return false;
        }

        int end = rest.IndexOfAny('/', '?');
        ReadOnlySpan<char> authority = end < 0 ? rest : rest[..end];
        if (lastOther >= start + authority.Length || (firstOther >= 0 && firstOther < start))
        {
            denial = UrlDenial.ForbiddenCharacter;
            return false;
        }

        ReadOnlySpan<char> tail = end < 0 ? [] : rest[end..];
        int query = tail.IndexOf('?');
        parsed.Path = query < 0 ? tail : tail[..query];
        parsed.Query = query < 0 ? [] : tail[query..];
        return TrySplitPort(authority, parsed.IsTls, out ReadOnlySpan<char> host, out parsed.Port, out denial)
            && TryReadHost(host, hostBuffer, pattern, ref parsed, out wildcard, out denial);
    }

    /// <summary>Only printable characters without the backslash, and others that are neither blank, nor format characters, nor half a pair.</summary>
    private static bool TryAcceptCharacters(ReadOnlySpan<char> url, out int firstOther, out int lastOther)
    {
        lastOther = -1;
        firstOther = url.IndexOfAnyExcept(Printable);
        if (firstOther < 0)
        {
            return true;
        }

        for (int i = firstOther; i < url.Length;)
        {
            if (url[i] < 0x80)
            {
                if (!Printable.Contains(url[i]))
                {
                    return false;
                }

                i++;
                continue;
            }

            if (Rune.DecodeFromUtf16(url[i..], out Rune rune, out int used) != OperationStatus.Done
                || Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) || TextHazards.IsIgnorable(rune))
            {
                return false;
            }

            lastOther = i;
            i += used;
        }

        return true;
    }

    private static bool TrySplitPort(ReadOnlySpan<char> authority, bool tls, out ReadOnlySpan<char> host, out int port, out UrlDenial denial)
    {
        host = authority;
        port = tls ? 443 : 80;
        denial = default;
        int bracket = authority.LastIndexOf(']');
        int colon = authority[(bracket + 1)..].IndexOf(':');
        if (colon < 0)
        {
            return true;
        }

        colon += bracket + 1;
        host = authority[..colon];
        ReadOnlySpan<char> digits = authority[(colon + 1)..];
        denial = UrlDenial.Port;
        return digits.Length is > 0 and <= 5 && digits[0] != '0' && !digits.ContainsAnyExceptInRange('0', '9')
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535;
    }

    private static bool TryReadHost(
        ReadOnlySpan<char> raw, Span<char> buffer, bool pattern, ref ParsedUrl parsed, out bool wildcard, out UrlDenial denial)
    {
        wildcard = false;
        denial = UrlDenial.Host;
        if (pattern && raw is "*")
        {
            wildcard = true;
            parsed.HostKind = HostKind.None;
            return true;
        }

        if (pattern && raw.StartsWith("*.", StringComparison.Ordinal))
        {
            wildcard = true;
            raw = raw[2..];
        }

        if (raw.IsEmpty)
        {
            return false;
        }

        if (raw[0] == '[')
        {
            return TryReadAddressV6(raw, buffer, ref parsed, out denial);
        }

        Span<char> encoded = stackalloc char[HostLabels.MaxLabelLength];
        int length = 0;
        while (true)
        {
            int dot = raw.IndexOf('.');
            ReadOnlySpan<char> label = dot < 0 ? raw : raw[..dot];
            if (label.Length is 0 or > HostLabels.MaxLabelLength)
            {
                return false;
            }

            if (length + label.Length > buffer.Length)
            {
                return false;
            }

            Span<char> destination = buffer[length..];
            if (Ascii.IsValid(label))
            {
                for (int i = 0; i < label.Length; i++)
                {
                    destination[i] = char.ToLowerInvariant(label[i]);
                }

                ReadOnlySpan<char> lower = destination[..label.Length];
                if (lower.ContainsAnyExcept(HostCharacters) || !lower.ContainsAnyExcept('-', '_'))
                {
                    return false;
                }

                // No label of a host begins with a hyphen (RFC 952, RFC 1123), and an underscore is that of a service label in front (RFC 8552): parsers differ on the rest.
                if (lower[0] == '-' || (lower[0] == '_' && length > 0))
                {
                    return false;
                }

                if (!HostLabels.IsCanonicalAscii(lower))
                {
                    denial = UrlDenial.HostNotCanonical;
                    return false;
                }

                length += label.Length;
            }
            else
            {
                if (!HostLabels.TryEncode(label, encoded, out int used))
                {
                    denial = UrlDenial.HostNotCanonical;
                    return false;
                }

                if (used > destination.Length)
                {
                    return false;
                }

                encoded[..used].CopyTo(destination);
                length += used;
            }

            if (dot < 0)
            {
                break;
            }

            if (length >= buffer.Length)
            {
                return false;
            }

            buffer[length++] = '.';
            raw = raw[(dot + 1)..];
        }

        parsed.Host = buffer[..length];
        if (EndsInNumber(parsed.Host))
        {
            return TryReadAddressV4(ref parsed, out denial);
        }

        // No top-level domain has an underscore (RFC 952), and parsers read such a name differently; a name of one label is a container's or a machine's.
        int lastDot = parsed.Host.LastIndexOf('.');
        if (lastDot >= 0 && parsed.Host[lastDot..].Contains('_'))
        {
            return false;
        }

        parsed.HostKind = IsSpecialName(parsed.Host) ? HostKind.SpecialName : HostKind.Name;
        denial = default;
        return true;
    }

    /// <summary>Parsers that follow the URL Standard take a host whose last label is a number for an IPv4 address, in whatever notation.</summary>
    private static bool EndsInNumber(ReadOnlySpan<char> host)
    {
        ReadOnlySpan<char> last = host[(host.LastIndexOf('.') + 1)..];
        return !last.ContainsAnyExceptInRange('0', '9')
            || (last.StartsWith("0x", StringComparison.Ordinal) && !ContainsOtherThanHex(last[2..]));

        static bool ContainsOtherThanHex(ReadOnlySpan<char> text)
        {
            foreach (char c in text)
            {
                if (!char.IsAsciiHexDigit(c))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Four decimal parts without leading zeros.</summary>
    private static bool TryReadAddressV4(ref ParsedUrl parsed, out UrlDenial denial)
    {
        denial = UrlDenial.Address;
        ReadOnlySpan<char> rest = parsed.Host;
        long address = 0;
        for (int part = 0; part < 4; part++)
        {
            int dot = rest.IndexOf('.');
            if (dot < 0 != (part == 3))
            {
                return false;
            }

            ReadOnlySpan<char> digits = dot < 0 ? rest : rest[..dot];
            rest = dot < 0 ? [] : rest[(dot + 1)..];
            if (digits.Length is 0 or > 3 || (digits.Length > 1 && digits[0] == '0')
                || !byte.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out byte value))
            {
                return false;
            }

            address = (address << 8) | value;
        }

        parsed.HostKind = HostKind.AddressV4;
        parsed.Address = new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]);
        denial = default;
        return true;
    }

    private static bool TryReadAddressV6(ReadOnlySpan<char> raw, Span<char> buffer, ref ParsedUrl parsed, out UrlDenial denial)
    {
        denial = UrlDenial.Address;
        if (raw[^1] != ']' || raw.Length > 48)
        {
            return false;
        }

        ReadOnlySpan<char> inside = raw[1..^1];
        foreach (char c in inside)
        {
            // No zone, no prefix length: characters of an address only.
            if (!char.IsAsciiHexDigit(c) && c is not (':' or '.'))
            {
                return false;
            }
        }

        int length = inside.ToLowerInvariant(buffer);
        ReadOnlySpan<char> lower = buffer[..length];
        if (!IPAddress.TryParse(lower, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        // The one spelling of RFC 5952; for addresses that carry an IPv4 address also the hexadecimal one of the URL Standard.
        if (!lower.SequenceEqual(address.ToString()) && !lower.SequenceEqual(WriteHexadecimal(address)))
        {
            return false;
        }

        parsed.Host = lower;
        parsed.HostKind = HostKind.AddressV6;
        parsed.Address = address;
        denial = default;
        return true;
    }

    private static string WriteHexadecimal(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        int best = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; i++)
        {
            int run = i;
            while (run < 8 && bytes[2 * run] == 0 && bytes[(2 * run) + 1] == 0)
            {
                run++;
            }

            if (run - i > bestLength)
            {
                best = i;
                bestLength = run - i;
            }
        }

        var text = new StringBuilder(40);
        for (int i = 0; i < 8; i++)
        {
            if (i == best)
            {
                text.Append("::");
                i += bestLength - 1;
                continue;
            }

            if (text.Length > 0 && text[^1] != ':')
            {
                text.Append(':');
            }

            text.Append(CultureInfo.InvariantCulture, $"{(bytes[2 * i] << 8) | bytes[(2 * i) + 1]:x}");
        }

        return text.ToString();
    }

    /// <summary>Names that public DNS does not answer for (RFC 6761, RFC 6762, RFC 8375 and what clusters and containers use).</summary>
    public static bool IsSpecialName(ReadOnlySpan<char> host)
    {
        if (!host.Contains('.'))
        {
            return true;
        }

        foreach (string suffix in SpecialSuffixes)
        {
            if (host.EndsWith(suffix, StringComparison.Ordinal) && (host.Length == suffix.Length || host[^(suffix.Length + 1)] == '.'))
            {
                return true;
            }
        }

        return false;
    }
}
