namespace Mcp.Guard.Stages.RateLimit;

/// <summary>
/// Compares keys part by part. The hash leaves out the limit's id where another part is there: the few limits of one caller then share a chain, and a known
/// key costs one string hash fewer. String hashes are seeded per process, so no choice of names makes chains long.
/// </summary>
internal sealed class RateLimitKeyComparer : IEqualityComparer<RateLimitKey>
{
    public static readonly RateLimitKeyComparer Instance = new();

    private RateLimitKeyComparer()
    {
    }

    public bool Equals(RateLimitKey x, RateLimitKey y) =>
        string.Equals(x.UserId, y.UserId)
        && string.Equals(x.SessionId, y.SessionId)
        && string.Equals(x.Server, y.Server)
        && string.Equals(x.Tool, y.Tool)
        && string.Equals(x.LimitId, y.LimitId);

    public int GetHashCode(RateLimitKey obj)
    {
        // Each part has a place of its own, so that a user "a" and a server "a" are two keys with two hashes.
        uint hash = 0;
        if (obj.UserId is { } user)
        {
            hash = (uint)user.GetHashCode(StringComparison.Ordinal);
        }

        if (obj.SessionId is { } session)
        {
            hash = (hash * 0x9E3779B1) + (uint)session.GetHashCode(StringComparison.Ordinal) + 1;
        }

        if (obj.Server is { } server)
        {
            hash = (hash * 0x85EBCA77) + (uint)server.GetHashCode(StringComparison.Ordinal) + 2;
        }

        if (obj.Tool is { } tool)
        {
            hash = (hash * 0xC2B2AE3D) + (uint)tool.GetHashCode(StringComparison.Ordinal) + 3;
        }

        return (int)(hash != 0 ? hash : (uint)(obj.LimitId?.GetHashCode(StringComparison.Ordinal) ?? 0));
    }
}
