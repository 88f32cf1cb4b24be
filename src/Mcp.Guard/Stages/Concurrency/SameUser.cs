using System.Diagnostics.CodeAnalysis;

namespace Mcp.Guard.Stages.Concurrency;

/// <summary>Callers that share their slots: the same user in any session, as for rates; a caller that the host did not name is its connection. Who opens more sessions gets no more slots.</summary>
internal sealed class SameUser : IEqualityComparer<GuardCaller>
{
    public static SameUser Instance { get; } = new();

    public bool Equals(GuardCaller? x, GuardCaller? y) => x is null || y is null
        ? ReferenceEquals(x, y)
        : x.IsConnection == y.IsConnection
            && string.Equals(x.UserId, y.UserId, StringComparison.Ordinal)
            && (!x.IsConnection || string.Equals(x.SessionId, y.SessionId, StringComparison.Ordinal));

    public int GetHashCode([DisallowNull] GuardCaller obj) => string.GetHashCode(obj.IsConnection ? obj.SessionId : obj.UserId, StringComparison.Ordinal);
}
