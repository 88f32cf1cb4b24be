using System.Diagnostics.Tracing;

namespace Mcp.Guard.Audit;

/// <summary>
/// Tells operators (<c>dotnet-trace --providers Mcp.Guard</c>) of listeners to the guard's spans and metrics that throw. They cannot be told by the metrics that they listen
/// to, and the runtime keeps what a listener of events throws away from whoever writes one.
/// </summary>
[EventSource(Name = GuardTelemetry.Name)]
internal sealed class GuardEventSource : EventSource
{
    private const int ListenerFailedId = 1;

    public static GuardEventSource Log { get; } = new();

    private GuardEventSource()
    {
    }

    /// <summary>A listener of the host threw.</summary>
    /// <param name="source">The instrument or the activity source.</param>
    /// <param name="fault">The type of what was thrown; its text is not ours to tell.</param>
    [Event(ListenerFailedId, Level = EventLevel.Error, Message = "A listener to {0} threw {1}; what it listened to went on")]
    public void ListenerFailed(string source, string fault)
    {
        if (IsEnabled())
        {
            WriteEvent(ListenerFailedId, source, fault);
        }
    }
}
