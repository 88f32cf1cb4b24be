namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// Compares keys part by part. The hash is that of user and tool: the few servers and methods that share both share a chain, and a call pays for no more than
/// it must. String hashes are seeded per process, so no choice of names makes chains long.
/// </summary>
internal sealed class ConsentGrantKeyComparer : IEqualityComparer<ConsentGrantKey>
{
    public static readonly ConsentGrantKeyComparer Instance = new();

    private ConsentGrantKeyComparer()
    {
    }

    public bool Equals(ConsentGrantKey x, ConsentGrantKey y) =>
        string.Equals(x.Tool, y.Tool)
        && string.Equals(x.UserId, y.UserId)
        && string.Equals(x.Server, y.Server)
        && string.Equals(x.Method, y.Method);

    public int GetHashCode(ConsentGrantKey obj) =>
        (int)(((uint)obj.UserId.GetHashCode(StringComparison.Ordinal) * 0x9E3779B1) + (uint)obj.Tool.GetHashCode(StringComparison.Ordinal));
}
