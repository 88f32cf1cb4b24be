using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Judges names: MCP's characters and length, twins of other names on the host, imitations of the host's own names.</summary>
internal static class ToolNameRules
{
    /// <summary>MCP 2026-07-28, tools: 1 to 128 characters.</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    /// <summary>What hosts and this guard put in front of names themselves; a server has no business using it.</summary>
    private static readonly string[] HostPrefixes = ["mcp__", "mcp_guard", "mcp-guard", "mcp.guard", "mcpguard", "host__", "system__", "guard__"];

    public static ContentFlags Judge(ReadOnlySpan<char> name, ReadOnlySpan<string> peers)
    {
        ContentFlags flags = ContentFlags.None;
        if (name.Length is 0 or > MaxLength || name.ContainsAnyExcept(Allowed))
        {
            flags |= ContentFlags.BadName;
        }

        Span<char> folded = stackalloc char[2 * MaxLength];
        ReadOnlySpan<char> plain = folded[..Lookalikes.Fold(name, folded)];
        foreach (string prefix in HostPrefixes)
        {
            if (plain.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                flags |= ContentFlags.NameCollision;
            }
        }

        if (peers.IsEmpty)
        {
            return flags;
        }

        Span<char> own = stackalloc char[2 * MaxLength];
        ReadOnlySpan<char> skeleton = own[..Skeleton(name, own)];
        Span<char> other = stackalloc char[2 * MaxLength];
        foreach (string peer in peers)
        {
            if (skeleton.SequenceEqual(other[..Skeleton(peer, other)]))
            {
                flags |= ContentFlags.NameCollision;
            }
        }

        return flags;
    }

    /// <summary>What two names have in common that a person or a model reads as the same: no case, no separators, one form for look-alikes.</summary>
    public static int Skeleton(ReadOnlySpan<char> name, Span<char> skeleton)
    {
        Span<char> folded = stackalloc char[2 * MaxLength];
        ReadOnlySpan<char> plain = folded[..Lookalikes.Fold(name, folded)];
        int length = 0;
        for (int i = 0; i < plain.Length; i++)
        {
            char c = plain[i];
            char next = i + 1 < plain.Length ? char.ToLowerInvariant(plain[i + 1]) : '\0';
            switch (char.ToLowerInvariant(c))
            {
                case '_' or '-' or '.' or ' ' or '/' or ':':
                    continue;
                case '0':
                    c = 'o';
                    break;
                case '1' or 'i' or '|':
                    c = 'l';
                    break;
                case 'r' when next == 'n':
                    c = 'm';
                    i++;
                    break;
                case 'v' when next == 'v':
                    c = 'w';
                    i++;
                    break;
                default:
                    c = char.ToLowerInvariant(c);
                    break;
            }

            skeleton[length++] = c;
        }

        return length;
    }
}
