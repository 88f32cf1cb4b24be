using System.CommandLine;

namespace Mcp.Guard.Cli.Commands;

/// <summary>Every verb of the command.</summary>
internal static class Verbs
{
    /// <summary>One line a verb, in the order in which the help shows them.</summary>
    public static Command[] All() =>
    [
        InitCommand.Create(),
        CheckCommand.Create(),
        RunCommand.Create(),
        InstallCommand.Create(),
        ComposeCommand.Create(),
        ExplainCommand.Create(),
        AuditCommand.Create(),
        ReplayCommand.Create(),
        CompletionsCommand.Create(),
    ];
}
