namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>One server command that the policy permits.</summary>
/// <param name="Command">A bare name or an absolute path, exactly as it has to be asked for.</param>
/// <param name="Arguments">All arguments, in order.</param>
/// <param name="Variables">Names of the environment variables that may be passed.</param>
/// <param name="Sha256">The pinned digest of the binary in lower-case hexadecimal, or null.</param>
internal sealed record CommandEntry(
    string Command, IReadOnlyList<CommandArgument> Arguments, IReadOnlyList<string> Variables, string? Sha256 = null);
