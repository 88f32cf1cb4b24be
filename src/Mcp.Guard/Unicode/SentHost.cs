namespace Mcp.Guard.Unicode;

/// <summary>The host that <see cref="Uri"/> asks DNS for.</summary>
internal static class SentHost
{
    /// <summary>In ASCII, an IPv6 address without brackets; null where <see cref="Uri"/> read the host but cannot encode it (a label in two directions, RFC 5893).</summary>
    public static string? Of(Uri uri)
    {
        try
        {
            return uri.IdnHost.Trim('[', ']');
        }
        catch (UriFormatException)
        {
            return null; // every caller refuses it
        }
    }
}
