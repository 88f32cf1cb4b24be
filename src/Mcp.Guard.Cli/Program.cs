using System.CommandLine;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;

// One line a verb, in the order in which the help shows them. A gateway is started often and by programs: it makes no other verb than its own.
Command[] verbs = args is ["run", ..] ? [RunCommand.Create()] :
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
return await CommandLine.RunAsync(args, verbs, TerminalStreams.OfProcess());

/// <summary>Declared, so that the web framework makes no public type of it.</summary>
internal partial class Program;
