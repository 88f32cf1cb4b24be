namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The file that an admitted command names, as it is recorded in the audit and in the server's identity.</summary>
/// <param name="StartPath">Absolute path as it was found: what is started, because programs look beside their own name (a Python environment, npx).</param>
/// <param name="FilePath">The same with links resolved: the file that was judged and hashed.</param>
/// <param name="LeadingArguments">What goes before the command's own arguments: the script, where a runner's batch file was replaced by it.</param>
/// <param name="Sha256">Digest of the file in lower-case hexadecimal.</param>
internal sealed record ResolvedCommand(string StartPath, string FilePath, IReadOnlyList<string> LeadingArguments, string Sha256);
