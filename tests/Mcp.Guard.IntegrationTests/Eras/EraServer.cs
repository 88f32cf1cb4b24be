using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>The test server as the SDK serves it, over streams and, as a process of this same program, over stdio.</summary>
internal static class EraServer
{
    /// <summary>Set in a process that is the server and not the tests: the file in which it counts.</summary>
    public const string Variable = "MCP_GUARD_TEST_SERVER_LOG";

    /// <summary>The one version of the protocol that the process speaks, where it is set.</summary>
    public const string VersionVariable = "MCP_GUARD_TEST_SERVER_VERSION";

    /// <summary>The .NET host that runs this very process.</summary>
    public static string Dotnet { get; } = Path.GetFullPath(
        Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    public static string Library { get; } = Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.IntegrationTests.dll");

    public static void Configure(IMcpServerBuilder builder, string log)
    {
        var target = new EraTools(log);
        builder.WithTools(target).WithPrompts(target).WithResources(target);
    }

    /// <summary>Serves standard input and output until the input ends.</summary>
    public static async Task<int> RunStdioAsync(string log)
    {
        HostApplicationBuilder host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        host.Logging.ClearProviders();
        Configure(host.Services.AddMcpServer(static options => options.ProtocolVersion = Environment.GetEnvironmentVariable(VersionVariable)).WithStdioServerTransport(), log);
        await host.Build().RunAsync();
        return 0;
    }

    /// <summary>Serves two streams of this process.</summary>
    public static IHost StartOnStreams(Stream input, Stream output, string log)
    {
        HostApplicationBuilder host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        Configure(host.Services.AddMcpServer().WithStreamServerTransport(input, output), log);
        IHost built = host.Build();
        built.Start();
        return built;
    }
}
