using System.CommandLine;
using Mcp.Guard.Cli.Explain;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard explain KIND</c>: what the guard would decide, one JSON object a line in and out.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        string[] names = [.. ExplainKinds.All.Select(known => known.Name)];
        var kind = new Argument<string>("KIND") { Description = "What to explain: " + string.Join(", ", names) };
        kind.CompletionSources.Add(names);
        var command = new Verb(
            "explain",
            "Answers what the guard would decide: one JSON object a line from standard input, one a line to standard output.",
            """echo '{"id":1,"kind":"path","flavor":"unix","roots":["/srv"],"input":"/x"}'""" + " \\\n    | mcp-guard explain path",
            """echo '{"id":1,"allowlist":["https://a.test"],"url":"https://a.test@b.test"}'""" + " \\\n    | mcp-guard explain url")
        {
            kind,
        };
        command.Runs((parsed, _, _) =>
        {
            string name = parsed.GetValue(kind)!;
            IExplainKind known = ExplainKinds.All.FirstOrDefault(candidate => string.Equals(candidate.Name, name, StringComparison.Ordinal))
                ?? throw new CommandFault($"unknown kind '{name}'", $"Use one of {string.Join(", ", names)}.");
            using Stream input = Console.OpenStandardInput();

            // Not disposed: that would close standard output, which the terminal flushes at its end.
            var output = new BufferedStream(CommandLine.Streams(parsed).Output, 64 * 1024);
            ExplainLoop.Run(known, input, output);
            output.Flush();
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
