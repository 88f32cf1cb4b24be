using Mcp.Guard.IntegrationTests;
using Mcp.Guard.IntegrationTests.Eras;
using Mcp.Guard.IntegrationTests.Isolation;
using Mcp.Guard.IntegrationTests.Limits;
using Mcp.Guard.IntegrationTests.Run;
using Microsoft.Testing.Platform.Builder;

// The tests, or the host that one of them kills or measures, or the server that others connect to.
if (Environment.GetEnvironmentVariable(CrashHost.Variable) is { } mode)
{
    return await CrashHost.RunAsync(mode);
}

if (Environment.GetEnvironmentVariable(HostileHost.Variable) is { } attack)
{
    return await HostileHost.RunAsync(attack);
}

if (Environment.GetEnvironmentVariable(EraServer.Variable) is { } log)
{
    return await EraServer.RunStdioAsync(log);
}

if (Environment.GetEnvironmentVariable(StoryClient.Variable) is { } answer)
{
    return await StoryClient.RunAsync(answer, args);
}

ITestApplicationBuilder builder = await TestApplication.CreateBuilderAsync(args);
SelfRegisteredExtensions.AddSelfRegisteredExtensions(builder, args);
using ITestApplication application = await builder.BuildAsync();
return await application.RunAsync();
