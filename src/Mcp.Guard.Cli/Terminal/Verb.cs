using System.CommandLine;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>
/// A verb of the command: what it runs with a terminal of its own, and examples for <c>--help</c>. Faults need no handling in a verb:
/// <see cref="CommandLine"/> turns them into one message and an exit code.
/// </summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>One JSON value on standard output in place of text. The same option of every verb.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Write one JSON value to standard output in place of text.", Recursive = true };

    /// <summary>Command lines shown below the options in the help.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Sets what the verb does. It returns an exit code (<see cref="ExitCodes"/>).</summary>
    public void Runs(Func<ParseResult, CommandTerminal, CancellationToken, Task<int>> run) =>
        SetAction(async (parsed, ct) =>
        {
            using var terminal = new CommandTerminal(CommandLine.Streams(parsed), parsed.GetValue(Json));
            try
            {
                return await run(parsed, terminal, ct).ConfigureAwait(false);
            }
            catch (Exception fault)
            {
                // The one place where a fault becomes words; nothing above it may print a stack trace.
                FaultReport report = FaultReport.Of(fault);
                terminal.Fault(CommandLine.NameOf(this), report);
                return report.ExitCode;
            }
        });
}
