using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Approvals;

/// <summary>Finds the guarded connection that a client of the SDK sends through: the transport reports itself to the flow of control that lists tools.</summary>
internal sealed class ConnectionProbe : IDisposable
{
    private static readonly AsyncLocal<ConnectionProbe?> Ambient = new();

    private readonly ConnectionProbe? _before = Ambient.Value;

    public ConnectionProbe() => Ambient.Value = this;

    /// <summary>The first connection that a list went through; null where none was guarded.</summary>
    public ConnectionState? Found { get; private set; }

    public static void Report(ConnectionState connection)
    {
        if (Ambient.Value is { } probe)
        {
            probe.Found ??= connection;
        }
    }

    public void Dispose() => Ambient.Value = _before;
}
