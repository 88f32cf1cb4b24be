using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>Parses a command line and runs its verb: bad usage is one message and exit 2, help ends with examples.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="verbs">Every verb.</param>
    /// <param name="streams">Where to read and write.</param>
    /// <returns>What the process ends with.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, IEnumerable<Command> verbs, TerminalStreams streams)
    {
        var root = new CommandRoot(streams) { Verb.Json };
        foreach (Command verb in verbs)
        {
            root.Add(verb);
        }

        // An argument that starts with @ is a package name here, never a file of further arguments.
        ParseResult parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction or null)
        {
            string usage = NameOf(parsed.CommandResult.Command);
            string help = usage.Length == 0 ? "mcp-guard --help" : $"mcp-guard {usage} --help";
            string message = string.Join(' ', parsed.Errors.Select(error => error.Message.TrimEnd('.') + ".")).TrimEnd('.');
            using var terminal = new CommandTerminal(streams, parsed.GetValue(Verb.Json));
            terminal.Fault(usage, new FaultReport(message, $"Run '{help}' for the usage.", ExitCodes.BadInput, []));
            return ExitCodes.BadInput;
        }

        using var output = new StreamWriter(streams.Output, leaveOpen: true) { AutoFlush = true };
        using var error = new StreamWriter(streams.Error, leaveOpen: true) { AutoFlush = true };
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = error }).ConfigureAwait(false);
    }

    /// <summary>The verb as typed, such as <c>audit verify</c>; empty for the command itself.</summary>
    public static string NameOf(Command command)
    {
        var names = new List<string>();
        for (Symbol? at = command; at is Command and not RootCommand; at = at.Parents.FirstOrDefault())
        {
            names.Insert(0, at.Name);
        }

        return string.Join(' ', names);
    }

    /// <summary>The streams that the command line was run with.</summary>
    internal static TerminalStreams Streams(ParseResult parsed) => ((CommandRoot)parsed.RootCommandResult.Command).Streams;

    private sealed class CommandRoot : RootCommand
    {
        public CommandRoot(TerminalStreams streams)
            : base("mcp-guard: security policy in front of Model Context Protocol servers.")
        {
            Streams = streams;
            foreach (Option option in Options)
            {
                if (option is HelpOption { Action: HelpAction help })
                {
                    help.MaxWidth = Math.Min(streams.Width, 100);
                    option.Action = new HelpWithExamples(help);
                }
            }

            // Without a verb there is nothing to do; the help says what could be done, and the exit code says that it was not asked for.
            SetAction(parsed =>
            {
                parsed.InvocationConfiguration.Error.WriteLine("mcp-guard: name a verb. Run 'mcp-guard --help' for all of them.");
                return ExitCodes.BadInput;
            });
        }

        public TerminalStreams Streams { get; }
    }

    private sealed class HelpWithExamples(SynchronousCommandLineAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int result = inner.Invoke(parseResult);
            if (parseResult.CommandResult.Command is Verb { Examples.Count: > 0 } verb)
            {
                TextWriter output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (string example in verb.Examples)
                {
                    output.WriteLine("  " + example);
                }

                output.WriteLine();
            }

            return result;
        }
    }
}
