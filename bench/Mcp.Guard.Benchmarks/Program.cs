using BenchmarkDotNet.Running;
using Mcp.Guard.Benchmarks.Schema;

if (args is ["schema-cases", string cases])
{
    return SchemaCases.Run(cases);
}

if (args is ["schema-tools", string tools])
{
    return SchemaCases.Tools(tools);
}

BenchmarkSwitcher.FromAssembly(typeof(SchemaCases).Assembly).Run(args);
return 0;
