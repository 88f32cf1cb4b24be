using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Pipeline;

/// <summary>What the guard knows of one connection to one server.</summary>
internal sealed class ConnectionState
{
    public ConnectionState(GuardRuntime runtime, McpServerIdentity server)
    {
        Runtime = runtime;
        Server = server;
        ServerKey = server.ToString();
        ConnectionId = Guid.CreateVersion7(runtime.Time.GetUtcNow()).ToString("N");
        ConnectionCaller = GuardCaller.ForConnection(ConnectionId);
        Tools = new ToolCatalog(this);
        NamesKey = "host:" + server.Id;
    }

    public GuardRuntime Runtime { get; }

    public McpServerIdentity Server { get; }

    /// <summary>The text of <see cref="Server"/>, made once.</summary>
    public string ServerKey { get; }

    /// <summary>An id that the guard made.</summary>
    public string ConnectionId { get; }

    /// <summary>Stands for the connection where the host names no caller.</summary>
    public GuardCaller ConnectionCaller { get; }

    /// <summary>The tools that the server listed over this connection.</summary>
    public ToolCatalog Tools { get; }

    /// <summary>
    /// Under what the connection's tool names are kept: its id where a transport says when it ends; otherwise one place for all connections to the server.
    /// </summary>
    public string NamesKey { get; set; }

    /// <summary>False where the tools never stand beside those of the connections: the own tools of a gateway, which passes all others on under qualified names.</summary>
    public bool SharesNames { get; init; } = true;

    /// <summary>True once the transport has ended; guarded by the lock of <see cref="CatalogNames"/>. A list that comes to its end later leaves no names behind.</summary>
    public bool HasLeftNames { get; set; }

    /// <summary>Tells the client that the list of tools changed; set by the transport.</summary>
    public Action? AnnounceTools { get; set; }

    /// <summary>The resources that the client subscribed to.</summary>
    public SubscriptionSet Subscriptions { get; } = new();

    /// <summary>The policy in force.</summary>
    public PolicySnapshot Policy => Runtime.Policy.Current;

    /// <summary>The negotiated protocol version; null until it is known.</summary>
    public string? ProtocolVersion { get; set; }

    /// <summary>Makes the guard list the server's tools itself; null where no transport is attached.</summary>
    public Func<RequestContext, CancellationToken, Task>? ListTools { get; set; }

    /// <summary>The open call that a progress token belongs to, or null; set by the transport.</summary>
    public Func<string, bool>? OwnsProgressToken { get; set; }

    /// <summary>The server's part of the policy in force; null where it no longer names the server.</summary>
    public ServerSettings? Settings(PolicySnapshot policy) => policy.Servers.TryGetValue(Server.Id, out ServerSettings? settings) ? settings : null;

    /// <summary>What was listed no longer holds: the guard lists again before the next call, and the client is told.</summary>
    public void RefreshTools()
    {
        Tools.MarkStale();
        AnnounceTools?.Invoke();
    }

    public RequestContext CreateRequest(string method, GuardCaller caller)
    {
        PolicySnapshot policy = Policy;
        return new RequestContext(this, policy, Settings(policy), caller, DecisionIds.Next(Runtime.Time), method);
    }

    /// <summary>A list request of the guard's own, made because of a call; in the stateless era it carries that call's envelope.</summary>
    public RequestContext CreateOwnListRequest(RequestContext cause, string? cursor)
    {
        PolicySnapshot policy = Policy;
        var own = new RequestContext(this, policy, Settings(policy), ConnectionCaller, DecisionIds.Next(Runtime.Time), MethodTable.ToolsList) { IsOwn = true };
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (cursor is not null)
            {
                writer.WriteString("cursor"u8, cursor);
            }

            if (MethodTable.IsStateless(ProtocolVersion)
                && cause.Current.ValueKind == JsonValueKind.Object
                && cause.Current.TryGetProperty("_meta"u8, out JsonElement meta)
                && meta.ValueKind == JsonValueKind.Object)
            {
                writer.WriteStartObject("_meta"u8);
                foreach (JsonProperty member in meta.EnumerateObject())
                {
                    if (!member.NameEquals("progressToken"u8))
                    {
                        member.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        own.SetPayload(JsonElement.Parse(buffer.WrittenSpan));
        return own;
    }
}
