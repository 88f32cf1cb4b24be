namespace Mcp.Guard.Policy;

/// <summary>The folder in which the guard keeps what outlives a process: pins, grants, checkpoints, keys, and the audit where the policy names no place for it.</summary>
internal static class GuardStateDirectory
{
    /// <summary>
    /// The folder for the current user: <c>$XDG_STATE_HOME/mcp-guard</c> or <c>~/.local/state/mcp-guard</c> (XDG Base Directory Specification 0.8) on
    /// Linux, <c>~/Library/Application Support/mcp-guard</c> on macOS, <c>%LOCALAPPDATA%\mcp-guard</c> on Windows. Null where the user has no home.
    /// </summary>
    public static string? Default()
    {
        if (OperatingSystem.IsWindows())
        {
            return Below(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "mcp-guard");
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS())
        {
            return Below(home, "Library/Application Support/mcp-guard");
        }

        // The specification says that a relative value is invalid and is to be ignored.
        return Below(Environment.GetEnvironmentVariable("XDG_STATE_HOME"), "mcp-guard") ?? Below(home, ".local/state/mcp-guard");
    }

    private static string? Below(string? folder, string relative) =>
        !string.IsNullOrEmpty(folder) && Path.IsPathFullyQualified(folder) ? Path.GetFullPath(Path.Combine(folder, relative)) : null;
}
