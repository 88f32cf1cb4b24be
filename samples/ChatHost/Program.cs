// A chat host: a (scripted) model calls tools through Microsoft.Extensions.AI, and a person's approval is the consent that the guard's policy asks for.
using ChatHost;
using GuardedHost;
using Mcp.Guard;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

string work = Directory.CreateTempSubdirectory("mcp-guard-chat-").FullName;
string project = Directory.CreateDirectory(Path.Combine(work, "project")).FullName;
File.WriteAllText(Path.Combine(project, "hello.txt"), "hello from the guarded server");

HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddFilter(level => level >= LogLevel.Warning);
builder.Services.AddMcpGuard(policy => policy
        .StateDirectory(Path.Combine(work, "guard"))
        .Server("files", server => server
            .Command(SampleServer.CommandOf(SampleServer.Library), SampleServer.ArgumentsOf(SampleServer.Library))
            .WithoutIsolation() // spelled out: nothing else need be installed for this sample; docs/isolation.md has the real thing
            .Root(project)
            .Allow("readers", "read_file", "list_directory")
            .Ask("writes", "write_file")))
    .DenyInsteadOfAsking(); // nothing but an approval of the chat is a consent

using IHost host = builder.Build();
await host.StartAsync();
var guard = host.Services.GetRequiredService<IMcpGuard>();
int written;
await using (McpClient client = await guard.ConnectAsync("files"))
{
    var model = new ScriptedModel(project);
    IChatClient chat = model.AsBuilder().UseFunctionInvocation().Build().WithMcpGuardApprovals(guard); // around it, not beneath
    var conversation = new Conversation(guard, chat, new ChatOptions { Tools = await guard.ListToolsAsync(client) });

    await conversation.SayAsync("Read hello.txt.", approves: false);               // allowed by the policy: nobody is asked
    await conversation.SayAsync("Write a note.", approves: true);                  // asked, approved, written
    await conversation.SayAsync("Write another note.", approves: false);           // asked, refused
    await conversation.SayAsync("Write outside of the project.", approves: true);  // approved, and denied all the same
    written = Directory.GetFiles(project, "note*").Length;
}

await host.StopAsync();
bool asExpected = written == 1 && !File.Exists(Path.Combine(work, "outside.txt"));
await ((IAsyncDisposable)host).DisposeAsync();
Directory.Delete(work, recursive: true);
Console.WriteLine(asExpected ? "\nall as expected" : "\nNOT as expected");
return asExpected ? 0 : 1;
