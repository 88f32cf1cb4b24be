// Published with native AOT: a guarded client and a real SDK server over in-memory streams; one call passes, one is denied, the audit verifies.
using Mcp.Guard;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

string work = Directory.CreateTempSubdirectory("mcp-guard-aot-").FullName;
string root = Directory.CreateDirectory(Path.Combine(work, "root")).FullName;
var services = new ServiceCollection();
services.AddMcpGuard(policy => policy
        .AuditDirectory(Path.Combine(work, "audit"))
        .StateDirectory(Path.Combine(work, "state"))
        .Server("memory", server => server.HostProvided().Root(root).Allow("reads", "read")))
    .DenyInsteadOfAsking();
await using (ServiceProvider provider = services.BuildServiceProvider())
{
    var guard = provider.GetRequiredService<IMcpGuard>();
    var pair = new InMemoryTransportPair();
    var options = new McpServerOptions
    {
        ServerInfo = new Implementation { Name = "aot", Version = "1" },
        Handlers = new McpServerHandlers
        {
            ListToolsHandler = (_, _) => new(new ListToolsResult
            {
                Tools = [new Tool { Name = "read", InputSchema = System.Text.Json.JsonElement.Parse("""{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}""") }],
            }),
            CallToolHandler = (_, _) => new(new CallToolResult { Content = [new TextContentBlock { Text = "read" }] }),
        },
    };
    await using McpServer server = McpServer.Create(new StreamServerTransport(pair.ServerInput, pair.ServerOutput), options);
    _ = server.RunAsync();
    await using McpClient client = await McpClient.CreateAsync(guard.Protect("memory", pair.ClientTransport));
    CallToolResult allowed = await client.CallToolAsync("read", new Dictionary<string, object?> { ["path"] = Path.Combine(root, "a.txt") });
    CallToolResult denied = await client.CallToolAsync("read", new Dictionary<string, object?> { ["path"] = "/etc/passwd" });
    if (allowed.IsError == true || denied.IsError != true)
    {
        Console.Error.WriteLine("a verdict is wrong");
        return 1;
    }
}

AuditVerification verification = AuditVerifier.Verify(Path.Combine(work, "audit"));
Directory.Delete(work, recursive: true);
Console.WriteLine($"native AOT: one call allowed, one denied, audit {verification.Verdict}, {verification.Records} records");
return verification.Verdict == AuditVerdict.Valid ? 0 : 1;
