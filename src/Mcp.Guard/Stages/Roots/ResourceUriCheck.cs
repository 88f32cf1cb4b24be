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
        if (FileUriPath.HasScheme(uri))
        {
            return RootInputKind.FileUri;
        }

        int colon = uri.IndexOf(':', StringComparison.Ordinal);

        // One letter is a drive. "jar:file:..." names a file all the same, and reads as none that is permitted.
        if (colon > 1 && char.IsAsciiLetter(uri[0]) && uri.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0)
        {
            return uri.AsSpan(colon + 1).Contains("file:", StringComparison.OrdinalIgnoreCase) && FileUriPath.HasScheme(uri.AsSpan(colon + 1).TrimStart("/:")) ? RootInputKind.FileUri : null;
        }

        return PathLook.LooksLikePath(uri) ? RootInputKind.Path : null;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-");
}
