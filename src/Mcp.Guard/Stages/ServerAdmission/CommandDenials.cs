namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The audit text of each <see cref="CommandDenial"/>; constant, and it repeats nothing of the input.</summary>
internal static class CommandDenials
{
    public static string Describe(CommandDenial denial) => denial switch
    {
        CommandDenial.Nul => "a command, argument or variable contains NUL",
        CommandDenial.BatchFile => "batch files are never started: their arguments are parsed again by the command processor",
        CommandDenial.CommandProcessor => "the Windows command processor is never started: it parses its arguments again",
        CommandDenial.NotListed => "no entry of the allowlist names this command",
        CommandDenial.ArgumentsNotListed => "an entry names the command, but not these arguments",
        CommandDenial.VariableName => "a variable has an empty name or one with an equals sign",
        CommandDenial.VariableForbidden => "a variable steers the loader, the runtime, the search path, TLS or the package source; the policy sets those by its own keys",
        CommandDenial.VariableNotListed => "a variable is not listed by the entry",
        CommandDenial.NotFound => "the command was not found in the absolute folders of the host's search path",
        CommandDenial.NotAFile => "the command is not an executable file",
        CommandDenial.OthersCanWrite => "the command, or a folder on its way, can be written by others",
        CommandDenial.InsideWorkspace => "the command lies in a folder that a server can write",
        CommandDenial.DigestDiffers => "the command's SHA-256 differs from the pinned one",
        CommandDenial.RunnerNotPinned => "the command fetches what it runs when it starts, and names no exact version in a form that leaves nothing open",
        _ => "the command was not judged",
    };
}
