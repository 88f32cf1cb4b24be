using BenchmarkDotNet.Running;
using Mcp.Guard.Benchmarks.Calls;
using Mcp.Guard.Benchmarks.Content;
using Mcp.Guard.Benchmarks.Isolation;
using Mcp.Guard.Benchmarks.Redis;
using Mcp.Guard.Benchmarks.RoundTrips;
using Mcp.Guard.Benchmarks.Schema;

if (args is ["schema-cases", string cases])
{
    return SchemaCases.Run(cases);
}

if (args is ["schema-tools", string tools])
{
    return SchemaCases.Tools(tools);
}

if (args is ["content-speed"])
{
    return ContentSpeed.Run();
}

if (args is ["content-recall", string corpus, ..])
{
    return ContentRecall.Run(corpus, lists: args.Length > 2 && args[2] == "list");
}

if (args is ["isolation-speed"])
{
    return await IsolationSpeed.RunAsync();
}

if (args is ["redis-speed", string endpoint, ..])
{
    return await RedisSpeed.RunAsync(endpoint, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 1_000_000);
}

if (args is ["pipeline-speed", ..])
{
    return PipelineSpeed.Run(args.Length > 1 ? args[1] : null);
}

if (args is ["scaling-speed"])
{
    return ScalingSpeed.Run();
}

if (args is ["scaling-speed", "threads"])
{
    ScalingSpeed.Threads();
    return 0;
}

if (args is ["scaling-speed", "tools"])
{
    ScalingSpeed.TooManyTools();
    return 0;
}

if (args is ["check"])
{
    return await ShortCheck.RunAsync();
}

if (args is ["serve-stdio"])
{
    return await EditServer.ServeStdioAsync();
}

if (args is ["round-trip-speed", string kind, ..])
{
    return await RoundTripSpeed.RunAsync(kind, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 5);
}

if (args is ["gateway-speed", ..])
{
    return await GatewaySpeed.RunAsync(
        args.Length > 1 ? args[1] : "all",
        args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 9,
        args.Length > 3 ? args[3] : null);
}

if (args is ["relay", .. string[] relayed] && relayed.Length > 0)
{
    return PlainRelay.Run(relayed);
}

if (args is ["round-trip-loop", string loopKind, string way, string count])
{
    return await RoundTripSpeed.LoopAsync(loopKind, way, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture));
}

BenchmarkSwitcher.FromAssembly(typeof(SchemaCases).Assembly).Run(args);
return 0;
