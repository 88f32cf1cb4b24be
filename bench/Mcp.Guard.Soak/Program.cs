// Many guarded connections under mixed load for minutes or hours: memory flat after the first minutes, no handle left behind, the 99th percentile as at the start.
using Mcp.Guard.Soak;

SoakOptions? options = SoakOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine("usage: Mcp.Guard.Soak [--minutes N] [--connections N] [--rate CALLS-A-SECOND] [--warm-up SECONDS]");
    return 2;
}

await using var run = new SoakRun(options);
return await run.RunAsync() ? 0 : 1;
