using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Consent;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>Consents that all hosts of a deployment remember together. A grant for one use is taken by exactly one call on any of them.</summary>
internal sealed class RedisConsentStore(RedisLink link) : IConsentStore
{
    private const int MaxEntryBytes = 64 * 1024;

    /// <inheritdoc/>
    public async ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct)
    {
        int shard = RedisKeys.ShardOf('u', binding.UserId);
        RedisReply reply = await link.RunAsync(
            "consent-take",
            RedisScript.ConsentTake,
            shard,
            [link.Keys.Epoch(shard), GrantsKey(shard, binding), UserKey(shard, binding.UserId)],
            [
                Ticks(now), RedisKeys.FullDigest(binding.Fingerprint), RedisKeys.FullDigest(binding.ArgumentsDigest),
                RedisKeys.FullDigest(binding.SessionId), RedisKeys.FullDigest(binding.PolicyRevision),
            ],
            ct);
        if (reply.Parts[2].IsNull)
        {
            return null;
        }

        // What the script chose by digests is judged once more by the grant itself.
        ConsentGrant? grant = Read((byte[])reply.Parts[2]!);
        if (grant is null || !grant.Covers(binding, now))
        {
            RedisLog.Damaged(link.Logger, "a consent");
            throw new RedisUnavailableException("a stored consent cannot be used", null);
        }

        return grant;
    }

    /// <inheritdoc/>
    public async ValueTask AddAsync(ConsentGrant grant, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        byte[] entry = Write(grant);
        if (entry.Length > MaxEntryBytes)
        {
            throw new InvalidOperationException($"A grant of {entry.Length} bytes is too long to remember; {MaxEntryBytes} are the most.");
        }

        int shard = RedisKeys.ShardOf('u', grant.Binding.UserId);
        RedisKey grants = GrantsKey(shard, grant.Binding);
        RedisKey user = UserKey(shard, grant.Binding.UserId);
        long expires = Milliseconds(grant.ExpiresAt);

        // First where the grant will be found by its id: an id without a grant is harmless, a grant that could not be revoked is not.
        RedisKey idKey = IdKey(grant.GrantId);
        TimeSpan life = TimeSpan.FromMilliseconds(Math.Max(0, expires - link.Time.GetUtcNow().ToUnixTimeMilliseconds())) + TimeSpan.FromHours(1);
        await link.ExecuteAsync("consent-id", database => database.StringSetAsync(idKey, $"{shard}|{grants}|{user}", life, when: When.NotExists), ct);
        RedisReply reply = await link.RunAsync(
            "consent-add",
            RedisScript.ConsentAdd,
            shard,
            [link.Keys.Epoch(shard), grants, user],
            [grant.GrantId, entry, expires, link.Options.MaxGrantsPerUser, grants.ToString()],
            ct);
        switch ((string?)reply.Parts[2])
        {
            case "added":
                return;
            case "known":
                throw new InvalidOperationException("A grant with this id is stored already; ids are random and used once.");
            default:
                throw new InvalidOperationException($"The consent store holds {link.Options.MaxGrantsPerUser} grants and refusals of this user; revoke some, or let them expire.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grantId);
        RedisKey idKey = IdKey(grantId);
        RedisValue place = await link.ExecuteAsync("consent-find", database => database.StringGetAsync(idKey), ct);
        if (place.IsNull)
        {
            return false;
        }

        string[] parts = ((string)place!).Split('|');
        if (parts.Length != 3)
        {
            RedisLog.Damaged(link.Logger, "the place of a consent");
            throw new RedisUnavailableException("the place of a stored consent cannot be read", null);
        }

        RedisKey[] keys = [parts[1], parts[2]];
        RedisValue[] arguments = [link.Fresh(), link.Expected, grantId];
        RedisResult removed = await link.ExecuteAsync("consent-revoke", database => database.ScriptEvaluateAsync(RedisScript.ConsentRevoke, keys, arguments), ct);
        await link.ExecuteAsync("consent-forget", database => database.KeyDeleteAsync(idKey), ct);
        return (int)removed == 1;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(userId);
        int shard = RedisKeys.ShardOf('u', userId);
        RedisKey user = UserKey(shard, userId);
        HashEntry[] mine = await link.ExecuteAsync("consent-list", database => database.HashGetAllAsync(user), ct);
        var found = new List<ConsentGrant>(mine.Length);
        foreach (IGrouping<string, HashEntry> target in mine.GroupBy(static entry => ((string)entry.Value!)[15..], StringComparer.Ordinal))
        {
            RedisKey grants = target.Key;
            RedisValue[] ids = [.. target.Select(static entry => entry.Name)];
            foreach (RedisValue entry in await link.ExecuteAsync("consent-list", database => database.HashGetAsync(grants, ids), ct))
            {
                if (!entry.IsNull && Read(((byte[])entry!)[294..]) is { } grant && now < grant.ExpiresAt
                    && string.Equals(grant.Binding.UserId, userId, StringComparison.Ordinal))
                {
                    found.Add(grant);
                }
            }
        }

        return found;
    }

    private static string Ticks(DateTimeOffset moment) => moment.UtcTicks.ToString("D19", CultureInfo.InvariantCulture);

    // Rounded up: the server may only forget what has expired for certain.
    private static long Milliseconds(DateTimeOffset moment) => Math.Max(0, moment.ToUnixTimeMilliseconds() + 1);

    private static char Flag(bool value) => value ? '1' : '0';

    private static byte[] Write(ConsentGrant grant)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            ConsentGrantJson.Write(writer, grant);
        }

        ConsentBinding binding = grant.Binding;
        string head = string.Concat(
            Ticks(grant.ExpiresAt),
            Milliseconds(grant.ExpiresAt).ToString("D15", CultureInfo.InvariantCulture),
            new string([Flag(grant.IsRefusal), Flag(grant.IsSingleUse), Flag(grant.CoversAnyArguments), Flag(grant.CoversAnySession)]))
            + RedisKeys.FullDigest(binding.Fingerprint) + RedisKeys.FullDigest(binding.ArgumentsDigest) + RedisKeys.FullDigest(binding.SessionId)
            + RedisKeys.FullDigest(binding.PolicyRevision);
        return [.. Encoding.ASCII.GetBytes(head), .. json.WrittenSpan];
    }

    private static ConsentGrant? Read(byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return ConsentGrantJson.Read(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private RedisKey GrantsKey(int shard, in ConsentBinding binding) =>
        link.Keys.Of(shard, "g", RedisKeys.Digest('g', binding.Server, binding.Method, binding.Tool, binding.UserId));

    private RedisKey UserKey(int shard, string userId) => link.Keys.Of(shard, "c", RedisKeys.Digest('c', userId));

    private RedisKey IdKey(string grantId) => link.Keys.Of(RedisKeys.ShardOf('i', grantId), "i", RedisKeys.Digest('i', grantId));
}
