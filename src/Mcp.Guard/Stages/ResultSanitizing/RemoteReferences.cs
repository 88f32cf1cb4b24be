using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Applies a <see cref="RemoteReferencePolicy"/> to one text: what would load from another host is made unloadable, and so is every other
/// address of those hosts in the same text. What is written instead holds no character that opens markup next to one that it did not
/// stand next to before.
/// </summary>
internal static class RemoteReferences
{
    private static readonly SearchValues<char> AddressEnds = SearchValues.Create(" \t\r\n\"'<>)");

    /// <summary>Finds markup and rewrites addresses; <paramref name="hidesInDescriptions"/> tells of comments and folded sections.</summary>
    public static ContentFlags Run(ReadOnlySpan<char> text, RemoteReferencePolicy policy, ref TextBuffer output, out bool hidesInDescriptions)
    {
        hidesInDescriptions = false;
        MarkupScan.Find(text, out bool html, out bool markdown);
        if (!html && !markdown)
        {
            output.Keep(0, text.Length);
            return ContentFlags.None;
        }

        var findings = new MarkupFindings();
        if (html)
        {
            HtmlReader.Read(text, ref findings);
        }

        if (markdown)
        {
            MarkdownReader.Read(text, ref findings);
        }

        hidesInDescriptions = findings.HidesInDescriptions
            || (markdown && MarkdownReader.HoldsComment(text));
        ContentFlags flags = findings.Flags;
        List<Edit>? edits = null;
        HashSet<string>? hosts = null;
        IReadOnlyList<MarkupAddress> resources = findings.Resources;
        for (int i = 0; i < resources.Count; i++)
        {
            MarkupAddress address = resources[i];
            if (!policy.Allows(address.Host))
            {
                flags |= ContentFlags.RemoteResource;
                if (policy.Resources != RemoteReferenceAction.Keep)
                {
                    (edits ??= new(resources.Count)).Add(new Edit(address, policy.Resources));
                    (hosts ??= new(StringComparer.Ordinal)).Add(address.Host);
                }
            }
        }

        if (policy.LinksWithQuery != RemoteReferenceAction.Keep)
        {
            foreach (MarkupAddress address in findings.Links)
            {
                if (!policy.Allows(address.Host))
                {
                    flags |= ContentFlags.RemoteResource;
                    (edits ??= []).Add(new Edit(address, policy.LinksWithQuery));
                }
            }
        }

        if (edits is null)
        {
            output.Keep(0, text.Length);
            return flags;
        }

        if (hosts is not null)
        {
            FindAddressesOf(hosts, text, policy.Resources, edits, ref findings);
        }

        // Each reader finds in order; only where they interleave is there something to sort.
        if (!InOrder(edits))
        {
            edits.Sort(static (a, b) => a.Address.Start.CompareTo(b.Address.Start));
        }

        Write(text, edits, ref output);
        return flags;
    }

    private static bool InOrder(List<Edit> edits)
    {
        for (int i = 1; i < edits.Count; i++)
        {
            if (edits[i].Address.Start < edits[i - 1].Address.Start)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Every "//" in front of one of the hosts, with the scheme before it.</summary>
    private static void FindAddressesOf(HashSet<string> hosts, ReadOnlySpan<char> text, RemoteReferenceAction action, List<Edit> edits, ref MarkupFindings findings)
    {
        // What was found stands in order nearly always; then a look beside the last one tells whether an address is known.
        int given = edits.Count;
        HashSet<int>? known = InOrder(edits) ? null : [.. edits.Select(edit => edit.Address.AuthorityStart)];
        int next = 0;
        var decoder = new MarkupDecoder(text, markdown: false);
        int at = 0;
        while (text[at..].IndexOf("//", StringComparison.Ordinal) is >= 0 and int found)
        {
            int slashes = at + found;
            at = slashes + 2;
            while (at < text.Length && text[at] == '/')
            {
                at++;
            }

            while (next < given && edits[next].Address.AuthorityStart < at)
            {
                next++;
            }

            if (known?.Contains(at) ?? (next < given && edits[next].Address.AuthorityStart == at))
            {
                continue;
            }

            int start = slashes;
            string scheme = string.Empty;
            if (start > 0 && text[start - 1] == ':')
            {
                int letters = start - 1;
                while (letters > 0 && start - letters < 8 && char.IsAsciiLetter(text[letters - 1]))
                {
                    letters--;
                }

                ReadOnlySpan<char> written = text[letters..(start - 1)];
                scheme = written is "https" ? "https" : written is "http" ? "http" : written.ToString().ToLowerInvariant();
                start = letters;
            }

            MarkupAddress address = MarkupAddress.ReadAuthority(text, start, at, scheme, decoder, ref findings);
            if (address.Kind == MarkupAddressKind.Remote && hosts.Contains(address.Host))
            {
                edits.Add(new Edit(address, action));
                at = Math.Max(at, address.HostEnd);
            }
        }
    }

    private static void Write(ReadOnlySpan<char> text, List<Edit> edits, ref TextBuffer output)
    {
        int taken = 0;
        foreach ((MarkupAddress address, RemoteReferenceAction action) in edits)
        {
            if (address.Start < taken)
            {
                continue;
            }

            output.Keep(taken, address.Start);
            if (action == RemoteReferenceAction.Remove)
            {
                output.Write("removed:");
                WriteHost(address.Host, ref output);
                taken = EndOfAddress(text, address.HostEnd);
                continue;
            }

            output.Write(address.Scheme switch
            {
                "https" => "hxxps:/_/",
                "http" => "hxxp:/_/",
                "" => text[address.Start] is '/' && IsBare(text, address.Start) ? "/_/" : "hxxps:/_/",
                _ => "blocked:/_/",
            });
            output.Write(text[address.AuthorityStart..address.HostStart]);
            WriteHost(text[address.HostStart..address.HostEnd], ref output);
            taken = address.HostEnd;
        }

        output.Keep(taken, text.Length);
    }

    /// <summary>Whether "//host" stands in running text, where a longer replacement would only take room.</summary>
    private static bool IsBare(ReadOnlySpan<char> text, int start) => start > 0 && char.IsAsciiLetterOrDigit(text[start - 1]);

    /// <summary>The host with its dots in brackets, but only between letters or digits: "!" or "(" next to a bracket would be markup.</summary>
    private static void WriteHost(ReadOnlySpan<char> host, ref TextBuffer output)
    {
        int taken = 0;
        for (int i = 1; i + 1 < host.Length; i++)
        {
            if (host[i] == '.' && char.IsLetterOrDigit(host[i - 1]) && char.IsLetterOrDigit(host[i + 1]))
            {
                output.Write(host[taken..i]);
                output.Write("[.]");
                taken = i + 1;
            }
        }

        output.Write(host[taken..]);
    }

    private static int EndOfAddress(ReadOnlySpan<char> text, int at)
    {
        int end = text[at..].IndexOfAny(AddressEnds);
        return end < 0 ? text.Length : at + end;
    }

    private readonly record struct Edit(MarkupAddress Address, RemoteReferenceAction Action);
}
