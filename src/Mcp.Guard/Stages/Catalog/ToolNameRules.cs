using System.Buffers;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>Which names a tool may have, and when two names are too alike for a person or a model to tell apart.</summary>
internal static class ToolNameRules
{
    /// <summary>MCP 2025-11-25, server/tools, "Tool names".</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

    private static readonly SearchValues<char> LettersAndDigits =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    private static readonly SearchValues<char> Separators = SearchValues.Create("_-./: ");

    private static readonly (string Look, string Letters) Reserved = TwinKeys("mcpguard");

    /// <summary>What hosts put in front of names themselves; a server has no business using it.</summary>
    private static readonly string[] HostPrefixes = ["mcp__", "host__", "system__", "guard__"];

    /// <summary>Judges one name by itself. Never throws, whatever the server wrote.</summary>
    public static ToolNameFault Judge(string name)
    {
        if (name.Length is 0 or > MaxLength)
        {
            return ToolNameFault.Length;
        }

        // Two dots climb in whatever builds a path or a URL from a name.
        if (name.AsSpan().ContainsAnyExcept(Allowed) || !name.AsSpan().ContainsAny(LettersAndDigits) || name.Contains("..", StringComparison.Ordinal))
        {
            return ToolNameFault.Characters;
        }

        return ImitatesHost(name) ? ToolNameFault.Reserved : ToolNameFault.None;
    }

    /// <summary>What a sanitiser says of any text that stands where a name is expected.</summary>
    /// <param name="text">The text; of a longer one than a name may be its beginning is compared.</param>
    /// <param name="peers">The other names on the host.</param>
    public static ContentFlags FlagsOf(ReadOnlySpan<char> text, ReadOnlySpan<string> peers)
    {
        ContentFlags flags = text.Length is 0 or > MaxLength || text.ContainsAnyExcept(Allowed) ? ContentFlags.BadName : ContentFlags.None;
        string name = text[..Math.Min(text.Length, 2 * MaxLength)].ToString();
        bool collides = ImitatesHost(name);
        if (!peers.IsEmpty)
        {
            (string look, string letters) = TwinKeys(name);
            foreach (string peer in peers)
            {
                (string otherLook, string otherLetters) = TwinKeys(peer.Length > 2 * MaxLength ? peer[..(2 * MaxLength)] : peer);
                collides |= string.Equals(look, otherLook, StringComparison.Ordinal) || string.Equals(letters, otherLetters, StringComparison.Ordinal);
            }
        }

        return collides ? flags | ContentFlags.NameCollision : flags;
    }

    /// <summary>True where two names differ, but only by case, separators or look.</summary>
    public static bool AreTwins(string left, string right) =>
        !string.Equals(left, right, StringComparison.Ordinal)
        && (string.Equals(FoldedSkeleton(left), FoldedSkeleton(right), StringComparison.Ordinal)
            || string.Equals(SkeletonOfFolded(left), SkeletonOfFolded(right), StringComparison.Ordinal));

    /// <summary>
    /// Two keys of a name; names that share one are the same or twins. There are two because case hides one kind of likeness ("I" and "l")
    /// and shows another ("Fi1e" and "file"); the letter in front keeps them apart.
    /// </summary>
    public static (string Look, string Letters) TwinKeys(string name) => ("l" + FoldedSkeleton(name), "c" + SkeletonOfFolded(name));

    /// <summary>
    /// Judges all names of one server's list together. Of twins, the one that a person or the first sight approved stays;
    /// where none or several are approved, none is used, because nobody can tell which is meant.
    /// </summary>
    /// <param name="names">The names in the order of the list.</param>
    /// <param name="isApproved">Whether a name is pinned.</param>
    public static ToolNameVerdict[] JudgeAll(IReadOnlyList<string> names, Func<string, bool> isApproved)
    {
        var verdicts = new ToolNameVerdict[names.Count];
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var groups = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
        {
            verdicts[i] = new(Judge(names[i]));
            if (seen.TryGetValue(names[i], out int first))
            {
                verdicts[first] = new(ToolNameFault.Duplicate);
                verdicts[i] = new(ToolNameFault.Duplicate);
                continue;
            }

            seen.Add(names[i], i);

            (string look, string letters) = TwinKeys(names[i]);
            Group(groups, look, i);
            Group(groups, letters, i);
        }

        foreach (List<int> group in groups.Values)
        {
            if (group.Count > 1)
            {
                JudgeGroup(names, isApproved, group, verdicts);
            }
        }

        return verdicts;
    }

    private static bool ImitatesHost(string name)
    {
        (string look, string letters) = TwinKeys(name);
        if (look.StartsWith(Reserved.Look, StringComparison.Ordinal) || letters.StartsWith(Reserved.Letters, StringComparison.Ordinal))
        {
            return true;
        }

        Span<char> folded = stackalloc char[2 * MaxLength];
        ReadOnlySpan<char> plain = folded[..Lookalikes.Fold(name, folded)];
        foreach (string prefix in HostPrefixes)
        {
            if (plain.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static void Group(Dictionary<string, List<int>> groups, string key, int index)
    {
        if (!groups.TryGetValue(key, out List<int>? group))
        {
            groups.Add(key, group = []);
        }

        group.Add(index);
    }

    private static void JudgeGroup(IReadOnlyList<string> names, Func<string, bool> isApproved, List<int> group, ToolNameVerdict[] verdicts)
    {
        int approved = -1;
        int approvals = 0;
        foreach (int index in group)
        {
            if (isApproved(names[index]))
            {
                approvals++;
                approved = index;
            }
        }

        foreach (int index in group)
        {
            if (verdicts[index].IsUsable && !(approvals == 1 && index == approved))
            {
                int other = group[0] == index ? group[1] : group[0];
                verdicts[index] = new(ToolNameFault.Twin, names[approvals == 1 ? approved : other]);
            }
        }
    }

    private static string FoldedSkeleton(string name) => Fold(ConfusableSkeleton.Of(WithoutSeparators(name)));

    private static string SkeletonOfFolded(string name) => ConfusableSkeleton.Of(Fold(WithoutSeparators(name)));

    // Upper case first: it joins what lower case alone keeps apart (the long s, the final sigma).
    private static string Fold(string text) => text.ToUpperInvariant().ToLowerInvariant();

    private static string WithoutSeparators(string name)
    {
        if (!name.AsSpan().ContainsAny(Separators))
        {
            return name;
        }

        return string.Create(Count(name), name, static (room, source) =>
        {
            int written = 0;
            foreach (char c in source)
            {
                if (!Separators.Contains(c))
                {
                    room[written++] = c;
                }
            }
        });
    }

    private static int Count(string name)
    {
        int count = 0;
        foreach (char c in name)
        {
            count += Separators.Contains(c) ? 0 : 1;
        }

        return count;
    }
}
