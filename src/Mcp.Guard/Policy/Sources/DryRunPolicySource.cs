using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Policy;

/// <summary>The policy of another source, under a revision that marks every record as one of a dry run.</summary>
internal sealed class DryRunPolicySource(IPolicySource inner) : IPolicySource
{
    private sealed record Pair(PolicySnapshot Source, PolicySnapshot Marked);

    private Pair? _last;

    public PolicySnapshot Current => MarkedOf(inner.Current);

    public IDisposable OnChange(Action<PolicyChange> listener) => inner.OnChange(change =>
        listener(change.Error is { } error ? PolicyChange.Refused(MarkedOf(change.Current), error) : PolicyChange.Accepted(MarkedOf(change.Current))));

    /// <summary>The same object for the same policy: who judged by it tells by that whether another is in force.</summary>
    private PolicySnapshot MarkedOf(PolicySnapshot source)
    {
        Pair? last = Volatile.Read(ref _last);
        if (last is null || !ReferenceEquals(last.Source, source))
        {
            var made = new Pair(source, source.WithRevision(DryRun.Mark + source.Revision));
            last = Interlocked.CompareExchange(ref _last, made, last) is { } other && ReferenceEquals(other.Source, source) ? other : Volatile.Read(ref _last)!;
        }

        return last.Marked;
    }
}
