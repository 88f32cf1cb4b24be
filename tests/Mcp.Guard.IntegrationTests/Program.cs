using Mcp.Guard.IntegrationTests;
using Mcp.Guard.IntegrationTests.Isolation;
using Microsoft.Testing.Platform.Builder;

// The tests, or the host that one of them kills.
if (Environment.GetEnvironmentVariable(CrashHost.Variable) is { } mode)
{
    return await CrashHost.RunAsync(mode);
}

ITestApplicationBuilder builder = await TestApplication.CreateBuilderAsync(args);
SelfRegisteredExtensions.AddSelfRegisteredExtensions(builder, args);
using ITestApplication application = await builder.BuildAsync();
return await application.RunAsync();
