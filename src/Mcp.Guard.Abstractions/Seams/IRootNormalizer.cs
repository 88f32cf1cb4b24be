namespace Mcp.Guard;

/// <summary>Judges paths and <c>file:</c> URIs against roots, and opens files without following links out of them.</summary>
public interface IRootNormalizer
{
    /// <summary>Judges one input. Never throws for any text.</summary>
    /// <param name="input">What the call says.</param>
    /// <param name="kind">How it names a file.</param>
    /// <param name="roots">The permitted roots. None denies everything.</param>
    /// <param name="baseDirectory">Where a relative path starts; null is the first valid root.</param>
    RootDecision Normalize(string input, RootInputKind kind, IReadOnlyList<GuardRoot> roots, string? baseDirectory = null);

    /// <summary>
    /// Opens an existing file for reading, component by component below its root without following a link out of it, so that a swap between
    /// the check and the use cannot win.
    /// </summary>
    /// <param name="decision">An allowing decision of this normaliser.</param>
    /// <exception cref="UnauthorizedAccessException">The decision denies, or the file lies elsewhere by now.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    Stream OpenRead(in RootDecision decision);

    /// <summary>The same for writing; the file is created where it does not exist.</summary>
    /// <param name="decision">An allowing decision of this normaliser, in a root that permits writing.</param>
    /// <exception cref="UnauthorizedAccessException">The decision denies, the root is read-only, or the file lies elsewhere by now.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    Stream OpenWrite(in RootDecision decision);
}
