namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What <see cref="FetchingRunners"/> says of a command line. The uninitialised value says that it starts no runner.</summary>
/// <param name="Runner">The runner, for people; null where there is none.</param>
/// <param name="Problem">Why it is refused, with the form that is accepted; null where one exact version is named.</param>
internal readonly record struct RunnerVerdict(string? Runner, string? Problem)
{
    public bool IsRefused => Problem is not null;
}
