using System.Globalization;

namespace Mcp.Guard.Isolation;

/// <summary>A user and group by number.</summary>
internal readonly record struct JailUser(uint User, uint Group)
{
    /// <summary>"nobody", the user with the fewest rights that every Linux has.</summary>
    public static JailUser Nobody => new(65534, 65534);

    /// <summary>Reads <c>uid</c> or <c>uid:gid</c> in decimal digits without leading zeros, so that one user has one text: programs that get it may read those as octal.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out JailUser user)
    {
        int colon = text.IndexOf(':');
        ReadOnlySpan<char> first = colon < 0 ? text : text[..colon];
        ReadOnlySpan<char> second = colon < 0 ? text : text[(colon + 1)..];
        bool read = TryId(first, out uint id) & TryId(second, out uint group);
        user = new JailUser(id, group);
        return read;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{User}:{Group}");

    // 4294967295 means "no change" to setuid(2), never a user.
    private static bool TryId(ReadOnlySpan<char> text, out uint id)
    {
        // The runtime's parser takes NUL characters at the end.
        id = 0;
        return !text.ContainsAnyExceptInRange('0', '9') && (text.Length == 1 || !text.StartsWith('0'))
            && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id != uint.MaxValue;
    }
}
