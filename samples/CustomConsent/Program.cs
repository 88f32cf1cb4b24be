// A consent provider of the host's own: a type with services, made anew for each question, that asks whoever is on duty and remembers what was agreed.
using CustomConsent;
using GuardedHost;
using Mcp.Guard;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

string work = Directory.CreateTempSubdirectory("mcp-guard-consent-").FullName;
string project = Directory.CreateDirectory(Path.Combine(work, "project")).FullName;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddFilter(level => level >= LogLevel.Warning);
builder.Services.AddSingleton<Duty>();
builder.Services.AddMcpGuard(policy => policy
        .StateDirectory(Path.Combine(work, "guard"))
        .Server("files", server => server
            .Command(SampleServer.CommandOf(SampleServer.Library), SampleServer.ArgumentsOf(SampleServer.Library))
            .WithoutIsolation() // spelled out: nothing else need be installed for this sample; docs/isolation.md has the real thing
            .Root(project)
            .Allow("readers", "read_file", "list_directory")
            .Ask("writes", rule => rule.Tools("write_file").RateLimit(100, TimeSpan.FromSeconds(1)))))
    .UseConsent<DutyConsent>();

using IHost host = builder.Build();
await host.StartAsync();
var guard = host.Services.GetRequiredService<IMcpGuard>();
var duty = host.Services.GetRequiredService<Duty>();
bool asExpected = true;
await using (McpClient client = await guard.ConnectAsync("files"))
{
    using IDisposable scope = guard.BeginScope(new GuardCaller("ada", "chat-1") { Intent = "keep the notes" });

    duty.Person = null;                                                                  // nobody is there
    await CallAsync("a.txt", "one", "[consent-denied]", asked: 1);

    duty.Person = "grace";
    duty.Says = "these";                                                                 // yes, whenever it has exactly these arguments
    await CallAsync("a.txt", "one", "wrote", asked: 1);
    await CallAsync("a.txt", "one", "wrote", asked: 0);                                  // remembered
    await CallAsync("a.txt", "two", "wrote", asked: 1);                                  // other arguments: asked again

    duty.Says = "yes, and outside too";                                                  // not an answer that the provider knows
    await CallAsync("b.txt", "three", "[consent-denied]", asked: 1);

    duty.Says = "once";                                                                  // a person's yes opens no other door
    await CallAsync("../b.txt", "four", "[path-outside-roots]", asked: 0);

    duty.Says = "never";
    await CallAsync("c.txt", "five", "[consent-denied]", asked: 1);
    await CallAsync("d.txt", "six", "[consent-denied]", asked: 0);                       // and nobody is bothered again

    async Task CallAsync(string name, string content, string expected, int asked)
    {
        int before = duty.Asked;
        CallToolResult result = await client.CallToolAsync("write_file", new Dictionary<string, object?> { ["path"] = Path.Combine(project, name), ["content"] = content });
        string text = string.Join(' ', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
        Console.WriteLine($"{(result.IsError == true ? "denied" : "allowed"),-8} write {name}: {text}");
        asExpected &= text.Contains(expected, StringComparison.Ordinal) && duty.Asked - before == asked;
    }
}

asExpected &= Directory.GetFiles(project).Select(Path.GetFileName).SequenceEqual(["a.txt"]) && File.ReadAllText(Path.Combine(project, "a.txt")) == "two";
await host.StopAsync();
await ((IAsyncDisposable)host).DisposeAsync();
Directory.Delete(work, recursive: true);
Console.WriteLine(asExpected ? "\nall as expected" : "\nNOT as expected");
return asExpected ? 0 : 1;
