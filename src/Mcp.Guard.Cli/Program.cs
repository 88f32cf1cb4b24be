using System.CommandLine;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;

// A gateway is started often and by programs: it makes no other verb than its own.
Command[] verbs = args is ["run", ..] ? [RunCommand.Create()] : Verbs.All();
return await CommandLine.RunAsync(args, verbs, TerminalStreams.OfProcess());

/// <summary>Declared, so that the web framework makes no public type of it.</summary>
internal partial class Program;
