using System.CommandLine;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;

// One line a verb, in the order in which the help shows them.
Command[] verbs =
[
    InitCommand.Create(),
    CheckCommand.Create(),
    InstallCommand.Create(),
    ComposeCommand.Create(),
    ExplainCommand.Create(),
    AuditCommand.Create(),
    ReplayCommand.Create(),
    CompletionsCommand.Create(),
];
return await CommandLine.RunAsync(args, verbs, TerminalStreams.OfProcess());
