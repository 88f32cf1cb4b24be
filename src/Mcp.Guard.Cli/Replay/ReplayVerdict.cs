namespace Mcp.Guard.Cli.Replay;

/// <summary>What a draft policy makes of one recorded call.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Code">The denial code; empty where nothing is denied.</param>
/// <param name="Stage">The stage that decided; empty where nothing is denied.</param>
/// <param name="Rules">The rules that matched, separated by commas.</param>
/// <param name="Missing">What the record does not hold; null where the call was judged as it was. With a decision it means: the real call could only fare worse.</param>
internal readonly record struct ReplayVerdict(ReplayDecision Decision, string Code = "", string Stage = "", string Rules = "", string? Missing = null)
{
    public static ReplayVerdict Unknown(string missing) => new(ReplayDecision.Unknown, Missing: missing);
}
