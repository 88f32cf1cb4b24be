namespace Mcp.Guard;

/// <summary>A notification in either direction.</summary>
public abstract class GuardNotificationContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.Notification;

    /// <summary>True where the server sent it.</summary>
    public abstract bool IsFromServer { get; }
}
