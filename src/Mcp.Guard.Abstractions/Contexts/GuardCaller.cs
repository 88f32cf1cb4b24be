namespace Mcp.Guard;

/// <summary>On whose behalf a call is made. The host says so; nothing from a server or the wire does.</summary>
public sealed class GuardCaller : IEquatable<GuardCaller>
{
    /// <summary>Names a caller.</summary>
    /// <param name="userId">The user as the host knows it: 1 to 256 characters.</param>
    /// <param name="sessionId">The session (chat, window, login) as the host knows it: 1 to 256 characters.</param>
    /// <exception cref="ArgumentException">A text is empty or too long.</exception>
    public GuardCaller(string userId, string sessionId)
        : this(userId, sessionId, isConnection: false)
    {
    }

    private GuardCaller(string userId, string sessionId, bool isConnection)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(userId);
        ArgumentException.ThrowIfNullOrWhiteSpace(sessionId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(userId.Length, 256, nameof(userId));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sessionId.Length, 256, nameof(sessionId));
        UserId = userId;
        SessionId = sessionId;
        IsConnection = isConnection;
    }

    /// <summary>The user.</summary>
    public string UserId { get; }

    /// <summary>The session.</summary>
    public string SessionId { get; }

    /// <summary>True where the host named no caller and the connection stands for one; <c>requireCaller</c> denies such calls.</summary>
    public bool IsConnection { get; }

    /// <summary>Why the model chose the tool, in its own words: shown to the person who is asked, marked as the model's text, and recorded.</summary>
    public string? Intent { get; init; }

    /// <summary>The caller that stands for a connection on which the host named none.</summary>
    /// <param name="connectionId">An id that the guard made.</param>
    public static GuardCaller ForConnection(string connectionId) => new("connection", connectionId, isConnection: true);

    /// <summary>Same user and session; the intent does not count.</summary>
    /// <param name="other">Another caller.</param>
    public bool Equals(GuardCaller? other) =>
        other is not null
        && IsConnection == other.IsConnection
        && string.Equals(UserId, other.UserId, StringComparison.Ordinal)
        && string.Equals(SessionId, other.SessionId, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as GuardCaller);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(UserId, SessionId, IsConnection);
}
