using System.Buffers;
using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// The roots of one server, compiled once per policy, and the judgement of paths against them. Immutable and safe for many threads; links are
/// resolved afresh at every check. The rules A to F are described in docs/roots.md.
/// </summary>
internal sealed class RootSet
{
    private const int StackChars = 512;

    private readonly RootEntry[] _entries;
    private readonly PathFlavor _flavor;
    private readonly LinkReader? _links;

    private RootSet(RootEntry[] entries, PathFlavor flavor, LinkReader? links, IReadOnlyList<RootProblem> problems)
    {
        _entries = entries;
        _flavor = flavor;
        _links = links;
        Problems = problems;
    }

    /// <summary>The flavour of the system this process runs on.</summary>
    public static PathFlavor OwnFlavor => OperatingSystem.IsWindows() ? PathFlavor.Windows : PathFlavor.Unix;

    /// <summary>The roots that cannot be used; a policy that holds one is refused.</summary>
    public IReadOnlyList<RootProblem> Problems { get; }

    /// <summary>The valid roots, in the order of the policy.</summary>
    public ReadOnlySpan<RootEntry> Entries => _entries;

    public PathFlavor Flavor => _flavor;

    /// <summary>Compiles roots. Those of the own flavour have their links resolved now and pinned; a foreign flavour is judged by its text.</summary>
    public static RootSet Create(IReadOnlyList<GuardRoot> roots, PathFlavor flavor) =>
        Create(roots, flavor, flavor == OwnFlavor ? LinkReader.ForThisSystem : null);

    internal static RootSet Create(IReadOnlyList<GuardRoot> roots, PathFlavor flavor, LinkReader? links)
    {
        var entries = new List<RootEntry>(roots.Count);
        var problems = new List<RootProblem>();
        for (int i = 0; i < roots.Count; i++)
        {
            if (TryCompile(roots[i], flavor, links, out RootEntry? entry, out string problem))
            {
                entries.Add(entry!);
            }
            else
            {
                problems.Add(new RootProblem(i, problem));
            }
        }

        return new RootSet([.. entries], flavor, links, problems);
    }

    /// <summary>Judges one input. Never throws, whatever the text.</summary>
    /// <param name="input">What the call says.</param>
    /// <param name="kind">How it names a file.</param>
    /// <param name="baseDirectory">Where a relative path starts; null is the first valid root.</param>
    public PathVerdict Check(string? input, RootInputKind kind = RootInputKind.Path, string? baseDirectory = null)
    {
        if (_entries.Length == 0)
        {
            return PathVerdict.Deny(PathDenial.NoValidRoot);
        }

        if (string.IsNullOrEmpty(input))
        {
            return PathVerdict.Deny(PathDenial.Empty);
        }

        if (kind == RootInputKind.FileUri)
        {
            // A URI spells a character in up to nine; what is longer than that decodes to a path that is too long.
            if (input.Length > 9 * PathRules.MaxWindowsChars)
            {
                return PathVerdict.Deny(PathDenial.TooLong);
            }

            if (!FileUriPath.TryRead(input, _flavor, out input, out PathDenial uriDenial))
            {
                return PathVerdict.Deny(uriDenial);
            }
        }

        if (!PathRules.TryAcceptText(input, _flavor, out bool plain, out PathDenial denial)
            || !PathRules.TryAcceptStart(input, _flavor, out denial))
        {
            return PathVerdict.Deny(denial);
        }

        string start = baseDirectory ?? _entries[0].Spelled;
        PathVerdict verdict = CheckLiteral(input, start);
        if (!verdict.IsAllowed || (plain && ReferenceEquals(verdict.Normalized, input)))
        {
            return verdict;
        }

        if (!plain && !ReadingsStayInside(input, start, out denial))
        {
            return PathVerdict.Deny(denial);
        }

        // The normal form can be read in ways that the input cannot: what was dropped from it (closing separators, dot segments) or came with a
        // link may have hidden a blank or a quote at the end. It has to pass by itself, because it is what a server may be given.
        string normalized = verdict.Normalized!;
        if (!ReferenceEquals(normalized, input))
        {
            if (!PathRules.TryAcceptText(normalized, _flavor, out plain, out denial)
                || (!plain && !ReadingsStayInside(normalized, start, out denial)))
            {
                return PathVerdict.Deny(denial);
            }
        }

        return verdict;
    }

    /// <summary>The innermost root that holds a normalised, resolved path, or null.</summary>
    public RootEntry? FindRoot(ReadOnlySpan<char> resolved)
    {
        RootEntry? found = null;
        foreach (RootEntry entry in _entries)
        {
            if ((found is null || entry.Resolved.Length > found.Resolved.Length) && LexicalPath.IsInside(resolved, entry.Resolved, _flavor))
            {
                found = entry;
            }
        }

        return found;
    }

    /// <summary>
    /// The first root that holds a folder or lies in it, links resolved, or null. The guard's own files (policy, audit, pins, grants, keys) must
    /// overlap no root: a policy for which this finds one is refused. A folder that cannot be resolved overlaps the first root.
    /// </summary>
    public RootEntry? FindOverlap(string folder)
    {
        if (_entries.Length == 0)
        {
            return null;
        }

        char[] buffer = new char[folder.Length + 2];
        if (!TryNormalize(folder, buffer, out int length, out _))
        {
            return _entries[0];
        }

        string resolved = new(buffer, 0, length);
        if (_links is not null && !LinkWalker.TryResolve(resolved, _flavor, _links, out resolved, out _))
        {
            return _entries[0];
        }

        foreach (RootEntry entry in _entries)
        {
            if (LexicalPath.IsInside(resolved, entry.Resolved, _flavor) || LexicalPath.IsInside(entry.Resolved, resolved, _flavor))
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Rules A, B and E: the path as it is written.</summary>
    [SkipLocalsInit] // the buffer is read as far as it was written
    private PathVerdict CheckLiteral(string input, string baseDirectory)
    {
        bool relative;
        if (_flavor == PathFlavor.Unix)
        {
            relative = input[0] != '/';
        }
        else
        {
            WindowsPrefix prefix = LexicalPath.ReadWindowsPrefix(input, out int prefixLength);
            if (!TryAcceptWindows(input, prefix, prefixLength, out PathDenial denial))
            {
                return PathVerdict.Deny(denial);
            }

            relative = prefix == WindowsPrefix.Relative;
        }

        int length = input.Length + (relative ? baseDirectory.Length + 1 : 0);
        char[]? rented = null;
        Span<char> buffer = length + 2 <= StackChars ? stackalloc char[StackChars] : (rented = ArrayPool<char>.Shared.Rent(length + 2));
        try
        {
            return CheckJoined(input, relative ? baseDirectory : null, buffer);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }

    private PathVerdict CheckJoined(string input, string? baseDirectory, Span<char> buffer)
    {
        int length = Join(baseDirectory, input, buffer);
        ReadOnlySpan<char> joined = buffer[..length];
        if (!PathRules.FitsSystem(joined, _flavor))
        {
            return PathVerdict.Deny(PathDenial.TooLong);
        }

        // Only a path with dot-dot has a physical reading of its own, and needs its unnormalised text for that.
        bool climbs = _links is not null && _flavor == PathFlavor.Unix && joined.Contains("/..", StringComparison.Ordinal);
        string? raw = climbs ? joined.ToString() : null;
        if (!TryNormalize(joined, buffer, out length, out PathDenial denial))
        {
            return PathVerdict.Deny(baseDirectory is not null && denial == PathDenial.NoDrive ? PathDenial.InvalidBase : denial);
        }

        ReadOnlySpan<char> normalized = buffer[..length];
        if (_links is null || (!climbs && _links.IsFreeOfLinks(normalized)))
        {
            RootEntry? root = FindRoot(normalized);
            if (root is null)
            {
                return PathVerdict.Deny(PathDenial.Outside);
            }

            return PathVerdict.Allow(normalized.SequenceEqual(input) ? input : normalized.ToString(), root);
        }

        return Resolve(normalized.ToString(), raw);
    }

    private PathVerdict Resolve(string normalized, string? raw)
    {
        if (!LinkWalker.TryResolve(normalized, _flavor, _links!, out string resolved, out PathDenial denial))
        {
            return PathVerdict.Deny(denial);
        }

        if (raw is not null)
        {
            if (!LinkWalker.TryResolve(raw, _flavor, _links!, out string physical, out denial))
            {
                return PathVerdict.Deny(denial);
            }

            if (!string.Equals(physical, resolved, StringComparison.Ordinal))
            {
                return PathVerdict.Deny(PathDenial.AmbiguousDotDot);
            }
        }

        RootEntry? root = FindRoot(resolved);
        return root is not null
            ? PathVerdict.Allow(resolved, root)
            : PathVerdict.Deny(FindRoot(normalized) is null ? PathDenial.Outside : PathDenial.OutsideByLink);
    }

    private static int Join(string? baseDirectory, ReadOnlySpan<char> rest, Span<char> buffer)
    {
        int length = 0;
        if (baseDirectory is not null)
        {
            baseDirectory.CopyTo(buffer);
            buffer[baseDirectory.Length] = '/';
            length = baseDirectory.Length + 1;
        }

        rest.CopyTo(buffer[length..]);
        return length + rest.Length;
    }

    /// <summary>Normalises an absolute path in place; false where it is not absolute or holds a segment of only dots.</summary>
    private bool TryNormalize(ReadOnlySpan<char> joined, Span<char> buffer, out int length, out PathDenial denial)
    {
        denial = default;
        length = 0;
        if (_flavor == PathFlavor.Unix)
        {
            if (joined.IsEmpty || joined[0] != '/')
            {
                denial = PathDenial.NoDrive;
            }
            else if (!LexicalPath.TryNormalizeUnix(joined, buffer, out length))
            {
                denial = PathDenial.DotsOnlySegment;
            }
            else
            {
                return true;
            }

            return false;
        }

        WindowsPrefix prefix = LexicalPath.ReadWindowsPrefix(joined, out int prefixLength);
        if (prefix is not (WindowsPrefix.Drive or WindowsPrefix.Share))
        {
            denial = PathDenial.NoDrive;
            return false;
        }

        LexicalPath.NormalizeWindows(joined, prefix, prefixLength, buffer, out length);
        return true;
    }

    /// <summary>Rule E on the text as written. What a root itself spells is not judged again: a root may hold a short name.</summary>
    private bool TryAcceptWindows(ReadOnlySpan<char> input, WindowsPrefix prefix, int prefixLength, out PathDenial denial)
    {
        denial = prefix switch
        {
            WindowsPrefix.Device => PathDenial.DevicePath,
            WindowsPrefix.BrokenShare => PathDenial.NetworkShare,
            WindowsPrefix.Dependent => PathDenial.NoDrive,
            _ => default,
        };
        if (denial != default)
        {
            return false;
        }

        if (prefix == WindowsPrefix.Share && !HasShareRoot(input[..prefixLength]))
        {
            denial = PathDenial.NetworkShare;
            return false;
        }

        int ownSegments = prefix == WindowsPrefix.Relative ? 0 : CountRootSegments(input[prefixLength..], input[..prefixLength]);
        ReadOnlySpan<char> rest = input[prefixLength..];
        int index = 0;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny('/', '\\');
            ReadOnlySpan<char> segment = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (segment.IsEmpty)
            {
                continue;
            }

            if (!WindowsNames.TryAccept(segment, out denial))
            {
                return false;
            }

            if (index >= ownSegments && WindowsNames.IsShortName(segment))
            {
                denial = PathDenial.ShortName;
                return false;
            }

            index++;
        }

        return true;
    }

    private bool HasShareRoot(ReadOnlySpan<char> share)
    {
        foreach (RootEntry entry in _entries)
        {
            if (LexicalPath.ReadWindowsPrefix(entry.Resolved, out int length) == WindowsPrefix.Share && length == share.Length
                && EqualsIgnoringSeparators(entry.Resolved.AsSpan(0, length), share))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many leading segments of an absolute input spell leading segments of a root.</summary>
    private int CountRootSegments(ReadOnlySpan<char> rest, ReadOnlySpan<char> prefix)
    {
        int most = 0;
        foreach (RootEntry entry in _entries)
        {
            if (LexicalPath.ReadWindowsPrefix(entry.Spelled, out int length) is WindowsPrefix.Drive or WindowsPrefix.Share
                && EqualsIgnoringSeparators(entry.Spelled.AsSpan(0, length), prefix))
            {
                most = Math.Max(most, CountCommonSegments(rest, entry.Spelled.AsSpan(length), out _, out _));
            }
        }

        return most;
    }

    private int CountCommonSegments(ReadOnlySpan<char> path, ReadOnlySpan<char> root, out ReadOnlySpan<char> below, out bool whole)
    {
        StringComparison comparison = _flavor == PathFlavor.Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        int common = 0;
        while (true)
        {
            path = TrimSeparators(path, _flavor);
            root = TrimSeparators(root, _flavor);
            below = path;
            whole = root.IsEmpty;
            if (root.IsEmpty)
            {
                return common;
            }

            ReadOnlySpan<char> segment = TakeSegment(ref path, _flavor);
            if (segment is ".")
            {
                continue;
            }

            if (!segment.Equals(TakeSegment(ref root, _flavor), comparison))
            {
                return common;
            }

            common++;
        }
    }

    /// <summary>The part of an absolute input below a root, where the input spells the root out.</summary>
    private bool TryTakeBelow(string input, string root, out string below)
    {
        ReadOnlySpan<char> path = input;
        ReadOnlySpan<char> rest = root;
        below = string.Empty;
        if (_flavor == PathFlavor.Windows)
        {
            if (LexicalPath.ReadWindowsPrefix(path, out int pathPrefix) is not (WindowsPrefix.Drive or WindowsPrefix.Share)
                || LexicalPath.ReadWindowsPrefix(rest, out int rootPrefix) is not (WindowsPrefix.Drive or WindowsPrefix.Share)
                || !EqualsIgnoringSeparators(path[..pathPrefix], rest[..rootPrefix]))
            {
                return false;
            }

            path = path[pathPrefix..];
            rest = rest[rootPrefix..];
        }
        else if (path[0] != '/')
        {
            return false;
        }

        CountCommonSegments(path, rest, out ReadOnlySpan<char> left, out bool whole);
        below = whole ? left.ToString() : string.Empty;
        return whole;
    }

    /// <summary>
    /// Rule C. An absolute input is also judged by the part below each root that it spells out, so that a root which itself holds, say, a
    /// percent sign stays usable; one view in which all readings stay inside is enough. More roots only add views and room, so a further
    /// root never denies more.
    /// </summary>
    private bool ReadingsStayInside(string input, string baseDirectory, out PathDenial denial)
    {
        if (AllReadingsStayInside(input, baseDirectory, fromStart: true, out denial))
        {
            return true;
        }

        foreach (RootEntry entry in _entries)
        {
            if ((TryTakeBelow(input, entry.Spelled, out string below)
                    || (!ReferenceEquals(entry.Spelled, entry.Resolved) && TryTakeBelow(input, entry.Resolved, out below)))
                && AllReadingsStayInside(below, entry.Spelled, fromStart: false, out _))
            {
                denial = default;
                return true;
            }
        }

        return false;
    }

    private bool AllReadingsStayInside(string text, string baseDirectory, bool fromStart, out PathDenial denial)
    {
        var readings = new PathReadings(text, _flavor);
        while (readings.Next() is { } reading)
        {
            if (!ReadingStaysInside(reading, baseDirectory, fromStart))
            {
                denial = PathDenial.SecondReading;
                return false;
            }
        }

        denial = readings.TooMany ? PathDenial.TooManyReadings : default;
        return !readings.TooMany;
    }

    private bool ReadingStaysInside(string reading, string baseDirectory, bool fromStart)
    {
        if (reading.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        bool relative = true;
        if (fromStart)
        {
            if (!PathRules.TryAcceptStart(reading, _flavor, out _))
            {
                return false;
            }

            relative = _flavor == PathFlavor.Unix
                ? !reading.StartsWith('/')
                : LexicalPath.ReadWindowsPrefix(reading, out _) == WindowsPrefix.Relative;
        }

        string joined = relative ? string.Concat(baseDirectory, "/", reading) : reading;
        if (_flavor == PathFlavor.Windows && HasReservedName(reading))
        {
            return false;
        }

        char[] buffer = ArrayPool<char>.Shared.Rent(joined.Length + 2);
        try
        {
            // A reading may hold a segment of only dots, where it can only be a name; the literal text may not.
            if (!TryNormalizeLoosely(joined, buffer, out int length) || !PathRules.FitsSystem(buffer.AsSpan(0, length), _flavor))
            {
                return false;
            }

            string normalized = new(buffer, 0, length);
            if (_links is null)
            {
                return FindRoot(normalized) is not null;
            }

            return LinkWalker.TryResolve(normalized, _flavor, _links, out string resolved, out _) && FindRoot(resolved) is not null
                && (_flavor == PathFlavor.Windows
                    || (LinkWalker.TryResolve(joined, _flavor, _links, out string physical, out _) && FindRoot(physical) is not null));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private bool TryNormalizeLoosely(string joined, Span<char> buffer, out int length)
    {
        if (TryNormalize(joined, buffer, out length, out PathDenial denial))
        {
            return true;
        }

        return denial == PathDenial.DotsOnlySegment && TryNormalize(DotsAsNames(joined), buffer, out length, out _);
    }

    /// <summary>Puts a letter into segments of three dots and more, which then count as the names they are.</summary>
    private static string DotsAsNames(string path)
    {
        string[] segments = path.Split('/');
        for (int i = 0; i < segments.Length; i++)
        {
            if (segments[i].Length > 2 && !segments[i].AsSpan().ContainsAnyExcept('.'))
            {
                segments[i] = string.Concat("x", segments[i].AsSpan(1));
            }
        }

        return string.Join('/', segments);
    }

    private static bool HasReservedName(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            ReadOnlySpan<char> segment = TakeSegment(ref text, PathFlavor.Windows);
            if (WindowsNames.IsReserved(segment))
            {
                return true;
            }

            text = TrimSeparators(text, PathFlavor.Windows);
        }

        return false;
    }

    private static bool EqualsIgnoringSeparators(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            bool separators = left[i] is '/' or '\\' && right[i] is '/' or '\\';
            if (!separators && !left.Slice(i, 1).Equals(right.Slice(i, 1), StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return true;
    }

    private static ReadOnlySpan<char> TrimSeparators(ReadOnlySpan<char> text, PathFlavor flavor) =>
        flavor == PathFlavor.Windows ? text.TrimStart("/\\") : text.TrimStart('/');

    private static ReadOnlySpan<char> TakeSegment(ref ReadOnlySpan<char> text, PathFlavor flavor)
    {
        int end = flavor == PathFlavor.Windows ? text.IndexOfAny('/', '\\') : text.IndexOf('/');
        ReadOnlySpan<char> segment = end < 0 ? text : text[..end];
        text = end < 0 ? [] : text[end..];
        return segment;
    }

    private static bool TryCompile(GuardRoot root, PathFlavor flavor, LinkReader? links, out RootEntry? entry, out string problem)
    {
        entry = null;
        string path = root.Path;
        if (string.IsNullOrWhiteSpace(path))
        {
            problem = "the root is empty; name an absolute folder";
            return false;
        }

        if (!PathRules.TryAcceptText(path, flavor, out _, out PathDenial denial))
        {
            problem = "the root cannot be used: " + PathDenials.Describe(denial);
            return false;
        }

        Span<char> buffer = new char[path.Length + 2];
        int length;
        if (flavor == PathFlavor.Unix)
        {
            if (path[0] != '/')
            {
                problem = "the root is relative; name an absolute folder (a tilde is not expanded)";
                return false;
            }

            if (!LexicalPath.TryNormalizeUnix(path, buffer, out length))
            {
                problem = "the root cannot be used: " + PathDenials.Describe(PathDenial.DotsOnlySegment);
                return false;
            }
        }
        else
        {
            WindowsPrefix prefix = LexicalPath.ReadWindowsPrefix(path, out int prefixLength);
            if (prefix is not (WindowsPrefix.Drive or WindowsPrefix.Share))
            {
                problem = "the root must start with a drive and a backslash, or with a host and a share";
                return false;
            }

            ReadOnlySpan<char> rest = prefix == WindowsPrefix.Drive ? path.AsSpan(prefixLength) : path.AsSpan(2);
            while (!rest.IsEmpty)
            {
                if (!WindowsNames.TryAccept(TakeSegment(ref rest, flavor), out denial))
                {
                    problem = "the root cannot be used: " + PathDenials.Describe(denial);
                    return false;
                }

                rest = TrimSeparators(rest, flavor);
            }

            LexicalPath.NormalizeWindows(path, prefix, prefixLength, buffer, out length);
        }

        string spelled = buffer[..length].SequenceEqual(path) ? path : buffer[..length].ToString();
        string resolved = spelled;
        if (links is not null)
        {
            if (!LinkWalker.TryResolve(spelled, flavor, links, out resolved, out denial))
            {
                problem = "the root cannot be resolved: " + PathDenials.Describe(denial);
                return false;
            }

            if (flavor == PathFlavor.Unix && path.Contains("/..", StringComparison.Ordinal)
                && (!LinkWalker.TryResolve(path, flavor, links, out string physical, out _)
                    || !string.Equals(physical, resolved, StringComparison.Ordinal)))
            {
                problem = "the root cannot be used: " + PathDenials.Describe(PathDenial.AmbiguousDotDot);
                return false;
            }

            resolved = string.Equals(resolved, spelled, StringComparison.Ordinal) ? spelled : resolved;
        }

        entry = new RootEntry(root, spelled, resolved);
        problem = string.Empty;
        return true;
    }
}
