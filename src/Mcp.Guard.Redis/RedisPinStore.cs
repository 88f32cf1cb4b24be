using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Stages.ToolPinning;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>Tool definitions that all hosts of a deployment remember together. A server without its data is no first sight where a loss is known.</summary>
internal sealed class RedisPinStore(RedisLink link) : IPinStore
{
    /// <inheritdoc/>
    public async ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        int shard = ShardOf(server);
        RedisReply reply;
        try
        {
            reply = await link.RunAsync("pins-read", RedisScript.PinsRead, shard, [link.Keys.Epoch(shard), Key(shard, server)], [], ct);
        }
        catch (RedisUnavailableException)
        {
            return new PinnedCatalog();
        }

        if (reply.Parts[2].IsNull)
        {
            return new PinnedCatalog { Status = reply.IsLost ? PinnedCatalogStatus.Unavailable : PinnedCatalogStatus.FirstSight };
        }

        if (Read((byte[])reply.Parts[2]!, server) is { } catalog)
        {
            return catalog;
        }

        RedisLog.Damaged(link.Logger, "pins");
        return new PinnedCatalog();
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(pins);
        PinnedCatalog next = PinSnapshot.Next(pins);
        int shard = ShardOf(server);
        RedisReply reply = await link.RunAsync(
            "pins-write",
            RedisScript.PinsWrite,
            shard,
            [link.Keys.Epoch(shard), Key(shard, server)],
            [pins.Version.ToString(CultureInfo.InvariantCulture), next.Version.ToString(CultureInfo.InvariantCulture), Write(next, server)],
            ct);
        return (int)reply.Parts[2] == 1;
    }

    private static int ShardOf(McpServerIdentity server) => RedisKeys.ShardOf('p', server.Id);

    private static byte[] Write(PinnedCatalog catalog, McpServerIdentity server)
    {
        var content = new PinFileContent { IsSound = true, IsComplete = true };
        content.Servers[server.ToString()] = catalog;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            content.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static PinnedCatalog? Read(byte[] json, McpServerIdentity server)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return PinFileContent.Read(document.RootElement) is { } content && content.Servers.TryGetValue(server.ToString(), out PinnedCatalog? catalog) ? catalog : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private RedisKey Key(int shard, McpServerIdentity server) => link.Keys.Of(shard, "p", RedisKeys.Digest('p', server.Id, server.Endpoint));
}
