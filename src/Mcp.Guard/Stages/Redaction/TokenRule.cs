using System.Buffers;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// A credential that its prefix gives away. Prefix and length decide: no checksum spares a value, since a mistyped or cut secret is still
/// most of one.
/// </summary>
/// <param name="Prefix">Ordinal, case-sensitive.</param>
/// <param name="Family">The name in the replacement.</param>
/// <param name="Alphabet">What the body is written in; the match takes all of it.</param>
/// <param name="MinLength">The shortest body that is one; below the vendor's length, so that a cut token counts.</param>
/// <param name="Alone">Whether the prefix counts only where no letter or digit stands before it: for prefixes that also end words.</param>
internal sealed record TokenRule(string Prefix, string Family, SearchValues<char> Alphabet, int MinLength, bool Alone = false);
