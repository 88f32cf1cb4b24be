using System.CommandLine;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Explain;

var kindArgument = new Argument<string>("KIND") { Description = "What to explain: " + string.Join(", ", ExplainKinds.All.Select(kind => kind.Name)) };
var explain = new Command("explain", "Answers what the guard would decide: one JSON object a line from standard input, one a line to standard output.")
{
    kindArgument,
};
explain.SetAction(parsed =>
{
    string name = parsed.GetValue(kindArgument)!;
    IExplainKind? kind = ExplainKinds.All.FirstOrDefault(candidate => string.Equals(candidate.Name, name, StringComparison.Ordinal));
    if (kind is null)
    {
        Console.Error.WriteLine($"mcp-guard explain: unknown kind '{name}'; use one of {string.Join(", ", ExplainKinds.All.Select(known => known.Name))}");
        return 2;
    }

    using Stream input = Console.OpenStandardInput();
    using var output = new BufferedStream(Console.OpenStandardOutput(), 64 * 1024);
    ExplainLoop.Run(kind, input, output);
    return 0;
});

var root = new RootCommand("mcp-guard: security policy in front of Model Context Protocol servers.") { explain, InstallCommand.Create() };
ParseResult result = root.Parse(args);
if (result.Errors.Count > 0)
{
    foreach (var error in result.Errors)
    {
        Console.Error.WriteLine($"mcp-guard: {error.Message}");
    }

    Console.Error.WriteLine("Run 'mcp-guard --help' for the commands.");
    return 2;
}

return await result.InvokeAsync();
