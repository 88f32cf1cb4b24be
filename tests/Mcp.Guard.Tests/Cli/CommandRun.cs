using System.CommandLine;
using System.Text;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Tests.Cli;

/// <summary>One command line, run in this process with streams of the test's own.</summary>
/// <param name="ExitCode">What the process would end with.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandRun> OfAsync(Command[] verbs, string[] arguments, string input = "", bool isTerminal = false, bool colours = false, int width = 80)
    {
        var output = new MemoryStream();
        var error = new MemoryStream();
        var streams = new TerminalStreams
        {
            Output = output,
            Error = error,
            Input = new StringReader(input),
            OutputIsTerminal = isTerminal,
            ErrorIsTerminal = isTerminal,
            Colours = colours,
            Width = width,
        };
        int code = await CommandLine.RunAsync(arguments, verbs, streams);
        return new(code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }
}
