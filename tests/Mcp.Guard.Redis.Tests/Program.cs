using Mcp.Guard.Redis.Tests;
using Microsoft.Testing.Platform.Builder;

// The tests, or one of the host processes that some of them start.
if (Environment.GetEnvironmentVariable(HostProcess.Variable) is { } mode)
{
    return await HostProcess.RunAsync(mode);
}

ITestApplicationBuilder builder = await TestApplication.CreateBuilderAsync(args);
SelfRegisteredExtensions.AddSelfRegisteredExtensions(builder, args);
using ITestApplication application = await builder.BuildAsync();
return await application.RunAsync();
