// A stage of the host's own: data loss prevention on the way out and on the way back, before a person is asked. It can only deny, change or ask: no stage overrules another's denial.
using CustomStage;
using GuardedHost;
using Mcp.Guard;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

string work = Directory.CreateTempSubdirectory("mcp-guard-stage-").FullName;
string project = Directory.CreateDirectory(Path.Combine(work, "project")).FullName;
File.WriteAllText(Path.Combine(project, "customers.txt"), "Miller, customer K-4711-0815");

int asked = 0;
HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddFilter(level => level >= LogLevel.Critical);
builder.Services.AddMcpGuard(policy => policy
        .StateDirectory(Path.Combine(work, "guard"))
        .Server("files", server => server
            .Command(SampleServer.CommandOf(SampleServer.Library), SampleServer.ArgumentsOf(SampleServer.Library))
            .WithoutIsolation() // spelled out: nothing else need be installed for this sample; docs/isolation.md has the real thing
            .Root(project)
            .Allow("files", rule => rule.Tools("read_file", "write_file").RateLimit(100, TimeSpan.FromSeconds(1)))))
    .UseConsent((request, _) =>
    {
        asked++;
        Console.WriteLine($"  asked  {request.ToolName}: {string.Join("; ", request.Reasons)}");
        return new(ConsentAnswer.AllowOnce(request));
    })
    .AddStage<DlpStage>(before: GuardStages.Consent);

using IHost host = builder.Build();
await host.StartAsync();
var guard = host.Services.GetRequiredService<IMcpGuard>();
bool asExpected = true;
await using (McpClient client = await guard.ConnectAsync("files"))
{
    using IDisposable scope = guard.BeginScope(new GuardCaller("ada", "chat-1"));
    await CallAsync("write_file", "plain.txt", "nothing special", "wrote");
    await CallAsync("write_file", "leak.txt", "CONFIDENTIAL: the plan", "[acme-dlp]");         // denied, with a code of the host's
    await CallAsync("write_file", "customer.txt", "call K-1234-5678 back", "wrote");            // changed on its way out, and judged again
    await CallAsync("write_file", "long.txt", new string('x', 2_000), "wrote");                 // asks a person
    await CallAsync("read_file", "customers.txt", null, "customer K-****");                     // changed on its way back
    await CallAsync("write_file", "fault.txt", "make the stage fail", "[guard-fault]");         // a fault denies

    async Task CallAsync(string tool, string name, string? content, string expected)
    {
        var arguments = new Dictionary<string, object?> { ["path"] = Path.Combine(project, name) };
        if (content is not null)
        {
            arguments["content"] = content;
        }

        CallToolResult result = await client.CallToolAsync(tool, arguments);
        string text = string.Join(' ', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
        Console.WriteLine($"{(result.IsError == true ? "denied" : "allowed"),-8} {tool} {name}: {text}");
        asExpected &= text.Contains(expected, StringComparison.Ordinal);
    }
}

asExpected &= asked == 1 && !File.Exists(Path.Combine(project, "leak.txt")) && !File.Exists(Path.Combine(project, "fault.txt"))
    && File.ReadAllText(Path.Combine(project, "customer.txt")) == "call K-**** back";
await host.StopAsync();
await ((IAsyncDisposable)host).DisposeAsync();
Directory.Delete(work, recursive: true);
Console.WriteLine(asExpected ? "\nall as expected" : "\nNOT as expected");
return asExpected ? 0 : 1;
