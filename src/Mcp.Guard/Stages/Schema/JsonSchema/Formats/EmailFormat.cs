using System.Buffers;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Mail addresses: RFC 5321 section 4.1.2, and RFC 6531 where code points above ASCII are allowed.</summary>
internal static class EmailFormat
{
    private const int MaxLocalBytes = 64;

    private static readonly SearchValues<byte> AtomBytes =
        SearchValues.Create("!#$%&'*+-/=?^_`{|}~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    public static bool IsEmail(ReadOnlySpan<byte> text, bool international)
    {
        int at = text.LastIndexOf((byte)'@');
        return at > 0 && IsLocal(text[..at], international) && IsDomain(text[(at + 1)..], international);
    }

    private static bool IsLocal(ReadOnlySpan<byte> local, bool international)
    {
        if (local.Length > MaxLocalBytes)
        {
            return false;
        }

        return local[0] == (byte)'"' ? IsQuoted(local, international) : IsDotted(local, international);
    }

    private static bool IsQuoted(ReadOnlySpan<byte> local, bool international)
    {
        if (local.Length < 2 || local[^1] != (byte)'"')
        {
            return false;
        }

        ReadOnlySpan<byte> inside = local[1..^1];
        for (int i = 0; i < inside.Length; i++)
        {
            byte b = inside[i];
            if (b == (byte)'\\')
            {
                i++;
                b = i < inside.Length ? inside[i] : (byte)0;
            }
            else if (b == (byte)'"')
            {
                return false;
            }

            if (b is < 0x20 or 0x7F || (b >= 0x80 && !international))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsDotted(ReadOnlySpan<byte> local, bool international)
    {
        bool afterDot = true;
        foreach (byte b in local)
        {
            if (b == (byte)'.')
            {
                if (afterDot)
                {
                    return false;
                }

                afterDot = true;
                continue;
            }

            if (b >= 0x80 ? !international : !AtomBytes.Contains(b))
            {
                return false;
            }

            afterDot = false;
        }

        return !afterDot;
    }

    private static bool IsDomain(ReadOnlySpan<byte> domain, bool international)
    {
        if (domain.Length > 2 && domain[0] == (byte)'[' && domain[^1] == (byte)']')
        {
            ReadOnlySpan<byte> literal = domain[1..^1];
            return literal.StartsWith("IPv6:"u8) ? AddressFormats.IsIpv6(literal[5..]) : AddressFormats.IsIpv4(literal);
        }

        return international ? HostnameFormat.IsLooseIdn(domain) : HostnameFormat.IsLdhName(domain);
    }
}
