// A small MCP server over stdio that reads and writes files wherever it is asked to: it checks nothing, so that the guard in front of it is what is seen.
using FileServer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, DisableDefaults = true });
builder.Logging.ClearProviders();
builder.Services.AddMcpServer(options => options.ServerInfo = new() { Name = "sample-files", Version = "1.0.0" })
    .WithStdioServerTransport()
    .WithTools<FileTools>();
await builder.Build().RunAsync();
