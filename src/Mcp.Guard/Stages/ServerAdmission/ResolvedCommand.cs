namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The file that an admitted command names, as it is recorded in the audit and in the server's identity.</summary>
/// <param name="FilePath">Absolute path with links resolved: what is started.</param>
/// <param name="LeadingArguments">What goes before the command's own arguments: the script, where a runner's batch file was replaced by it.</param>
/// <param name="Sha256">Digest of the file in lower-case hexadecimal.</param>
internal sealed record ResolvedCommand(string FilePath, IReadOnlyList<string> LeadingArguments, string Sha256);
