namespace Mcp.Guard.Tests.Proof;

/// <summary>What was decided about a call.</summary>
/// <param name="Code">The denial code; null where the call may go.</param>
/// <param name="Asked">Whether a person was asked.</param>
internal readonly record struct Verdict(string? Code, bool Asked)
{
    public override string ToString() => $"{Code ?? "allowed"}{(Asked ? " after a question" : "")}";
}
