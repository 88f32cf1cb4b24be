namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The finer reason below the code <c>server-not-allowed</c> for a command, for the audit.</summary>
internal enum CommandDenial
{
    NotJudged = 0,
    Nul,
    BatchFile,
    CommandProcessor,
    NotListed,
    ArgumentsNotListed,
    VariableName,
    VariableForbidden,
    VariableNotListed,
    NotFound,
    NotAFile,
    OthersCanWrite,
    InsideWorkspace,
    DigestDiffers,
    RunnerNotPinned,
}
