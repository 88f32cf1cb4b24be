namespace Mcp.Guard;

/// <summary>What a stop covers: everything, or one server, one tool of a server, or one user. Parts that are null cover all.</summary>
/// <param name="Server">The server's id, or null for all servers.</param>
/// <param name="Tool">The tool's exact name, or null for all tools; needs <paramref name="Server"/>.</param>
/// <param name="UserId">The user, or null for all users.</param>
public readonly record struct HaltScope(string? Server = null, string? Tool = null, string? UserId = null)
{
    /// <summary>Everything.</summary>
    public static HaltScope Everything => default;

    /// <summary>Whether a message is covered.</summary>
    /// <param name="server">The message's server.</param>
    /// <param name="tool">Its tool, or null.</param>
    /// <param name="userId">Its user.</param>
    public bool Covers(string server, string? tool, string userId) =>
        (Server is null || string.Equals(Server, server, StringComparison.Ordinal))
        && (Tool is null || string.Equals(Tool, tool, StringComparison.Ordinal))
        && (UserId is null || string.Equals(UserId, userId, StringComparison.Ordinal));
}
