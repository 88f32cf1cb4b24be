namespace Mcp.Guard.Json;

/// <summary>Names of members by the numbers that a reading gives them, for <see cref="MemberOrder"/>.</summary>
internal interface IMemberNames
{
    /// <summary>The name as UTF-8, escapes undone.</summary>
    ReadOnlySpan<byte> NameOf(int member);
}
