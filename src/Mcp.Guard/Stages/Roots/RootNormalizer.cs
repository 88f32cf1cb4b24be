using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// <see cref="IRootNormalizer"/> over <see cref="RootSet"/>: compiles a list of roots when it first sees it and pins what its links resolve to
/// then; a list that has changed since is compiled again.
/// </summary>
internal sealed class RootNormalizer : IRootNormalizer
{
    private readonly ConditionalWeakTable<IReadOnlyList<GuardRoot>, Compiled> _compiled = [];

    public RootDecision Normalize(string input, RootInputKind kind, IReadOnlyList<GuardRoot> roots, string? baseDirectory = null)
    {
        if (roots is null || kind is not (RootInputKind.Path or RootInputKind.FileUri))
        {
            return default;
        }

        PathVerdict verdict = Compile(roots).Check(input, kind, baseDirectory);
        return verdict.IsAllowed ? RootDecision.Allow(verdict.Normalized!, verdict.Root!.Source) : RootDecision.Deny(verdict.Message);
    }

    public Stream OpenRead(in RootDecision decision)
    {
        RequireAllowed(decision);
        return SafeOpen.OpenRead(decision.NormalizedPath!);
    }

    public Stream OpenWrite(in RootDecision decision)
    {
        RequireAllowed(decision);
        if (decision.Root!.Access != RootAccess.ReadWrite)
        {
            throw new UnauthorizedAccessException(PathDenials.Describe(PathDenial.ReadOnlyRoot));
        }

        return SafeOpen.OpenWrite(decision.NormalizedPath!);
    }

    private static void RequireAllowed(in RootDecision decision)
    {
        if (!decision.IsAllowed)
        {
            throw new UnauthorizedAccessException(decision.Reason);
        }
    }

    private RootSet Compile(IReadOnlyList<GuardRoot> roots)
    {
        if (_compiled.TryGetValue(roots, out Compiled? known) && known.IsCurrent(roots))
        {
            return known.Set;
        }

        var fresh = new Compiled([.. roots]);
        _compiled.AddOrUpdate(roots, fresh);
        return fresh.Set;
    }

    /// <summary>A compiled list and what it held then.</summary>
    private sealed class Compiled(GuardRoot[] roots)
    {
        public RootSet Set { get; } = RootSet.Create(roots, RootSet.OwnFlavor);

        public bool IsCurrent(IReadOnlyList<GuardRoot> now)
        {
            if (now.Count != roots.Length)
            {
                return false;
            }

            for (int i = 0; i < roots.Length; i++)
            {
                if (!roots[i].Equals(now[i]))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
