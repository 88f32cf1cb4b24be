using BenchmarkDotNet.Running;
using Mcp.Guard.Benchmarks.Content;
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

BenchmarkSwitcher.FromAssembly(typeof(SchemaCases).Assembly).Run(args);
return 0;
