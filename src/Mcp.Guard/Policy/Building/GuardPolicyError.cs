using System.Globalization;

namespace Mcp.Guard;

/// <summary>One thing that is wrong in a policy: where it stands, what it is, and what fixes it.</summary>
/// <param name="File">The policy file; null for a policy built in code.</param>
/// <param name="Line">Line, from 1; 0 where there is no text to point at.</param>
/// <param name="Column">Column, from 1, counted in UTF-16 code units as editors do; 0 where there is no text to point at.</param>
/// <param name="Location">JSON Pointer (RFC 6901) to the value; empty for the whole document.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Fix">What would be accepted.</param>
public sealed record GuardPolicyError(string? File, int Line, int Column, string Location, string Message, string Fix)
{
    /// <summary>One line for a terminal or a log: <c>file(line,column): pointer: message. Fix</c>.</summary>
    public override string ToString()
    {
        string where = Line > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{File ?? "policy"}({Line},{Column})")
            : File ?? "policy";
        return Location.Length == 0 ? $"{where}: {Message}. {Fix}." : $"{where}: {Location}: {Message}. {Fix}.";
    }
}
