using System.Runtime.CompilerServices;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Judges the URI of a resource: one that names a file, in any spelling, must lie in the server's roots and outside the guard's own files.</summary>
internal sealed class ResourceUriCheck(IRootNormalizer normalizer)
{
    private readonly ConditionalWeakTable<ServerSettings, RootSet> _roots = [];

    public RootSet RootsOf(ServerSettings settings) => _roots.GetValue(settings, static settings => RootSet.Create(settings.Roots, RootSet.OwnFlavor));

    /// <summary>Why a URI is denied; null where it is permitted or names no file.</summary>
    public string? Judge(ServerSettings settings, PolicySnapshot policy, string uri)
    {
        if (KindOf(uri) is not { } kind)
        {
            return null;
        }

        PathVerdict verdict = RootsOf(settings).Check(uri, kind);
        if (!verdict.IsAllowed)
        {
            return verdict.Message;
        }

        if (policy.Protected.IsProtected(verdict.Normalized!) || policy.Protected.IsSecondName(verdict.Normalized!))
        {
            return PathDenials.Describe(PathDenial.GuardFile);
        }

        return normalizer is RootNormalizer || normalizer.Normalize(uri, kind, settings.Roots).IsAllowed ? null : "the host's normaliser denies it";
    }

    /// <summary>How a URI that may name a file is read; null for one of another scheme.</summary>
    private static RootInputKind? KindOf(string uri)
    {
        if (NamesFile(FileUriPath.AsUrl(uri)))
        {
            return RootInputKind.FileUri;
        }

        // One letter is a drive.
        return SchemeLength(uri) <= 1 && PathLook.LooksLikePath(uri) ? RootInputKind.Path : null;
    }

    /// <summary>A file URI, also behind other schemes: "jar:file:..." names a file all the same, and reads as none that is permitted.</summary>
    private static bool NamesFile(ReadOnlySpan<char> url)
    {
        while (!FileUriPath.HasScheme(url))
        {
            int scheme = SchemeLength(url);
            if (scheme == 0)
            {
                return false;
            }

            url = url[(scheme + 1)..].TrimStart("/: ");
        }

        return true;
    }

    private static int SchemeLength(ReadOnlySpan<char> url)
    {
        int colon = url.IndexOf(':');
        return colon > 0 && char.IsAsciiLetter(url[0]) && !url[..colon].ContainsAnyExcept(SchemeCharacters) ? colon : 0;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-");
}
