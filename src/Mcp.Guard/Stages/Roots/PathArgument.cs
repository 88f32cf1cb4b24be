namespace Mcp.Guard.Stages.Roots;

/// <summary>An argument that was taken for a path, and what was said of it.</summary>
/// <param name="Pointer">Where it stands in the arguments (RFC 6901).</param>
/// <param name="Verdict">Whether it may be reached.</param>
/// <param name="IsName">True where it is the name of a member, which is judged and never rewritten.</param>
internal readonly record struct PathArgument(string Pointer, PathVerdict Verdict, bool IsName);
