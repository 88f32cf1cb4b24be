// A web host: each user calls tools through it under a name of his own, and answers the questions about his own calls by HTTP. Two users come as its clients and go by themselves.
using Gateway;
using GuardedHost;
using Mcp.Guard;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using WebHost;

string work = Directory.CreateTempSubdirectory("mcp-guard-web-").FullName;
string project = Directory.CreateDirectory(Path.Combine(work, "project")).FullName;
File.WriteAllText(Path.Combine(project, "hello.txt"), "hello from behind the web host");

// From its own folder: beside this program lie only the assemblies that ASP.NET Core does not bring.
string output = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
string fileServer = Path.GetFullPath(
    Path.Combine(output, "..", "..", "..", "..", "FileServer", "bin", Directory.GetParent(output)!.Name, Path.GetFileName(output), "FileServer.dll"));

var pending = new PendingConsents();
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
            .Ask("writes", "write_file")))
    .UseConsent(pending);

WebApplication app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.UseAuthentication();
app.UseAuthorization();
var guard = app.Services.GetRequiredService<IMcpGuard>();
bool asExpected;
await using (McpClient files = await guard.ConnectAsync("files"))
{
    Endpoints.Map(app, guard, files, pending);
    await app.StartAsync();
    var url = new Uri(app.Urls.First());
    Console.WriteLine($"web host   {url}");
    asExpected = await new ScriptedUsers(url, project).RunAsync();
}

await app.StopAsync();
await app.DisposeAsync();
Directory.Delete(work, recursive: true);
Console.WriteLine(asExpected ? "\nall as expected" : "\nNOT as expected");
return asExpected ? 0 : 1;
