using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Gateway;

/// <summary>What does not work in one mode denies there.</summary>
[TestFixture]
internal sealed class HttpGatewayModeTests
{
    [Test]
    public async Task Consent_OlderClientWithoutSessions_CannotBeAsked()
    {
        await using HttpGateway gateway = await HttpGateway.StartAsync(HttpServerSessionMode.Stateless, settings => settings.Ask("ask", "echo"));
        await using McpClient client = await gateway.ConnectAsync("ada", "2025-11-25", _ => HttpGateway.Say("once"));
        CallToolResult result = await client.CallToolAsync("behind__echo", new Dictionary<string, object?> { ["word"] = "x" });
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[consent-unavailable]"));
        Assert.That(gateway.Calls, Is.Zero);
    }
}
