// A gateway: an MCP server over HTTP that offers the tools of a guarded server and one of its own to two users, who come as its clients and go by themselves.
using System.Security.Claims;
using Gateway;
using GuardedHost;
using Mcp.Guard;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;

string work = Directory.CreateTempSubdirectory("mcp-guard-gateway-").FullName;
string project = Directory.CreateDirectory(Path.Combine(work, "project")).FullName;
File.WriteAllText(Path.Combine(project, "hello.txt"), "hello from behind the gateway");

// From its own folder: beside this program lie only the assemblies that ASP.NET Core does not bring.
string output = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
string fileServer = Path.GetFullPath(
    Path.Combine(output, "..", "..", "..", "..", "FileServer", "bin", Directory.GetParent(output)!.Name, Path.GetFileName(output), "FileServer.dll"));

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Error);
builder.Services.AddAuthentication(TokenAuthentication.SchemeName).AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.SchemeName, null);
builder.Services.AddAuthorization();
builder.Services.AddMcpGuard(policy => policy
    .StateDirectory(Path.Combine(work, "guard"))
    .Server("files", server => server
        .Command(SampleServer.CommandOf(fileServer), SampleServer.ArgumentsOf(fileServer))
        .WithoutIsolation() // spelled out: nothing else need be installed for this sample; docs/isolation.md has the real thing
        .Root(project)
        .Allow("readers", "read_file", "list_directory")
        .Ask("writes", "write_file"))
    .Server("gateway", server => server
        .HostProvided() // the gateway's own tools
        .Allow("own", "whoami")));
builder.Services.AddMcpServer()
    .WithHttpTransport(options => options.SessionMode = HttpServerSessionMode.StatefulForInitializeClients)
    .WithTools([McpServerTool.Create((ClaimsPrincipal user) => $"You are {user.FindFirst("sub")?.Value}.", new() { Name = "whoami", Description = "Says who calls." })])
    .WithMcpGuard(gateway => gateway.Forward("files"));

WebApplication app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.UseAuthentication();
app.UseAuthorization();
app.MapMcp("/mcp").RequireAuthorization();
await app.StartAsync();
var url = new Uri(app.Urls.First() + "/mcp");
Console.WriteLine($"gateway    {url}");

bool asExpected = true;
foreach ((string user, string protocol, string answer) in (IEnumerable<(string, string, string)>)[("ada", "2026-07-28", "once"), ("bob", "2025-11-25", "no")])
{
    asExpected &= await new ScriptedClient(url, user, protocol, answer).RunAsync(project);
}

asExpected &= !await ScriptedClient.CanConnectAsync(url);
await app.StopAsync();
await app.DisposeAsync();
Directory.Delete(work, recursive: true);
Console.WriteLine(asExpected ? "\nall as expected" : "\nNOT as expected");
return asExpected ? 0 : 1;
