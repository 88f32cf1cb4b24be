using System.IO.Pipelines;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Testing;

/// <summary>Two streams that connect a client and a server in one process, and the client transport over them.</summary>
public sealed class InMemoryTransportPair
{
    private readonly Pipe _toServer = new();
    private readonly Pipe _toClient = new();

    /// <summary>Makes a pair.</summary>
    public InMemoryTransportPair()
    {
        ServerInput = _toServer.Reader.AsStream();
        ServerOutput = _toClient.Writer.AsStream();
        ClientTransport = new StreamClientTransport(_toServer.Writer.AsStream(), _toClient.Reader.AsStream());
    }

    /// <summary>What the server reads: give it to <c>StreamServerTransport</c>.</summary>
    public Stream ServerInput { get; }

    /// <summary>What the server writes.</summary>
    public Stream ServerOutput { get; }

    /// <summary>The client's end: give it to <c>IMcpGuard.Protect</c>.</summary>
    public IClientTransport ClientTransport { get; }
}
