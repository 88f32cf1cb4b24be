using Mcp.Guard.JailProbe;

// probe ATTEMPT [ARGUMENT...]: tries one thing and prints what it saw. probe serve: the same as tools of an MCP server on stdio.
// probe hostile: an MCP server that breaks what a host relies on.
return args switch
{
    ["serve"] => await ProbeServer.RunAsync(),
    ["hostile"] => HostileServer.Run(),
    [var attempt, .. var rest] => Report(attempt, rest),
    _ => 2,
};

static int Report(string attempt, string[] arguments)
{
    string saw;
    try
    {
        saw = Attempts.Run(attempt, arguments);
    }
    catch (Exception fault)
    {
        saw = $"failed: {fault.GetType().Name}: {fault.Message}";
    }

    Console.WriteLine(saw);
    return saw.StartsWith("failed:", StringComparison.Ordinal) ? 1 : 0;
}
