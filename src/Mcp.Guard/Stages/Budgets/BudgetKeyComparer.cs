namespace Mcp.Guard.Stages.Budgets;

/// <summary>
/// Compares keys part by part. The hash is made of what tells keys apart, so that a known key costs little: user, session, tool, and the start of
/// the digest. String hashes are seeded per process, so no choice of names makes chains long; two digests that begin alike have to be searched for as long as a
/// collision of 64 bits of SHA-256.
/// </summary>
internal sealed class BudgetKeyComparer : IEqualityComparer<BudgetKey>
{
    public static readonly BudgetKeyComparer Instance = new();

    private const int HashedDigestLength = 16;

    private BudgetKeyComparer()
    {
    }

    public bool Equals(BudgetKey x, BudgetKey y) =>
        string.Equals(x.ArgumentsDigest, y.ArgumentsDigest)
        && string.Equals(x.UserId, y.UserId)
        && string.Equals(x.SessionId, y.SessionId)
        && string.Equals(x.Tool, y.Tool)
        && string.Equals(x.Server, y.Server)
        && string.Equals(x.BudgetId, y.BudgetId);

    public int GetHashCode(BudgetKey obj)
    {
        uint hash = ((uint)obj.UserId.GetHashCode(StringComparison.Ordinal) * 0x9E3779B1) + (uint)obj.SessionId.GetHashCode(StringComparison.Ordinal);
        if (obj.Tool is { } tool)
        {
            hash = (hash * 0x85EBCA77) + (uint)tool.GetHashCode(StringComparison.Ordinal) + 1;
        }

        if (obj.ArgumentsDigest is { } digest)
        {
            hash = (hash * 0xC2B2AE3D) + (uint)string.GetHashCode(digest.AsSpan(0, Math.Min(digest.Length, HashedDigestLength)), StringComparison.Ordinal) + 2;
        }

        return (int)hash;
    }
}
