// A host that trusts neither the model nor the server: it starts a real MCP server process, connects through the guard, and shows what passes.
using GuardedHost;
using Mcp.Guard;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

CommandLine? options = CommandLine.Parse(args);
if (options is null)
{
    Console.Error.WriteLine("usage: GuardedHost [--audit DIR] [--interactive]");
    return 2;
}

var screen = new Screen();
using var work = new Workplace(options.AuditDirectory);

HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddFilter(level => level >= LogLevel.Warning);
builder.Services.AddSingleton(screen);
builder.Services.AddSingleton<IPerson>(services =>
    options.Interactive ? new PersonAtKeyboard(services.GetRequiredService<Screen>()) : new ScriptedPerson(services.GetRequiredService<Screen>()));
builder.Services.AddMcpGuard(policy => policy
        .AuditDirectory(work.AuditDirectory)
        .StateDirectory(work.StateDirectory)
        .Server("files", server => server
            .Command(SampleServer.CommandOf(SampleServer.Library), SampleServer.ArgumentsOf(SampleServer.Library))
            .WithoutIsolation() // spelled out: nothing else need be installed for this sample; docs/isolation.md has the real thing
            .Root(work.Project)
            .Allow("readers", rule => rule.Tools("read_file", "list_directory"))
            .Allow("indexing", rule => rule.Tools("index_folder").Timeout(TimeSpan.FromSeconds(1)))
            .Ask("writes", "write_file")))
    .UseConsent<ConsoleConsent>();

using IHost host = builder.Build();
await host.StartAsync();
var guard = host.Services.GetRequiredService<IMcpGuard>();

screen.Title("Mcp.Guard: a guarded host");
screen.Note($"project  {work.Project}");
screen.Note($"audit    {work.AuditDirectory}");
screen.Note($"policy   {guard.PolicyRevision}");

screen.Step("connect to the server 'files', which the policy names");
await using (McpClient client = await guard.ConnectAsync("files"))
{
    screen.Allowed($"admitted; it lists {string.Join(", ", (await client.ListToolsAsync()).Select(tool => tool.Name))}");
    var show = new Demonstration(guard, client, screen, work);
    await (options.Interactive ? show.RunInteractiveAsync() : show.RunAsync());
}

await host.StopAsync();
await ((IAsyncDisposable)host).DisposeAsync(); // closes the audit, which is then read from its files
return await AuditView.ShowAsync(work.AuditDirectory, screen) ? 0 : 1;
