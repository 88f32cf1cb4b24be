using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>Sampling and elicitation of a server of the SDK, as requests of its own (2025-11-25) and inside results (2026-07-28), allowed and denied.</summary>
[TestFixture]
internal sealed class ServerRequestEraTests
{
    private static readonly string[] Transports = ["streams", "stdio", "http"];
    private static readonly string[] Versions = ["2025-11-25", "2026-07-28"];

    [Test]
    public async Task Form_Allowed_AnswerArrives([ValueSource(nameof(Transports))] string transport, [ValueSource(nameof(Versions))] string version)
    {
        ElicitRequestParams? shown = null;
        await using EraConnection connection = await OpenAsync(transport, version, "elicitation", """{"allow":true}""", asked => shown = asked, _ => { });
        CallToolResult result = await connection.Guarded.CallToolAsync("form");
        Assert.That(TextOf(result), Is.EqualTo("accept blue"));
        Assert.That(shown!.Message, Is.EqualTo("Server 'era' asks the following, during 'form'. This is not a request for your consent to a call.\n> \"Which colour?\"\n"));
    }

    [Test]
    public async Task Form_Denied_NobodyIsAsked([ValueSource(nameof(Transports))] string transport, [ValueSource(nameof(Versions))] string version)
    {
        bool reached = false;
        await using EraConnection connection = await OpenAsync(transport, version, "elicitation", """{"allow":true,"form":false}""", _ => reached = true, _ => { });
        Assert.That(await OutcomeAsync(connection, "form"), Does.Not.Contain("blue"));
        Assert.That(reached, Is.False);
    }

    [Test]
    public async Task Sampling_Allowed_AnswerArrivesWithinTheTokensOfThePolicy([ValueSource(nameof(Transports))] string transport, [ValueSource(nameof(Versions))] string version)
    {
        CreateMessageRequestParams? shown = null;
        await using EraConnection connection = await OpenAsync(transport, version, "sampling", """{"allow":true,"confirm":false,"maxTokens":64}""", _ => { }, asked => shown = asked);
        CallToolResult result = await connection.Guarded.CallToolAsync("sample");
        Assert.That(TextOf(result), Is.EqualTo("the model's answer"));
        Assert.That(shown!.MaxTokens, Is.EqualTo(64));
    }

    [Test]
    public async Task Sampling_WithoutConsent_ModelIsNotReached([ValueSource(nameof(Transports))] string transport, [ValueSource(nameof(Versions))] string version)
    {
        bool reached = false;
        await using EraConnection connection = await OpenAsync(transport, version, "sampling", """{"allow":true}""", _ => { }, _ => reached = true);
        Assert.That(await OutcomeAsync(connection, "sample"), Does.Not.Contain("the model's answer"));
        Assert.That(reached, Is.False);
    }

    /// <summary>The text of the result; in the older era a server of the SDK makes an error of its own out of the refusal.</summary>
    private static async Task<string> OutcomeAsync(EraConnection connection, string tool)
    {
        try
        {
            return TextOf(await connection.Guarded.CallToolAsync(tool));
        }
        catch (McpProtocolException refused)
        {
            return refused.Message;
        }
    }

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static Task<EraConnection> OpenAsync(
        string transport, string version, string key, string policy, Action<ElicitRequestParams> onForm, Action<CreateMessageRequestParams> onSampling) =>
        EraConnection.OpenAsync(transport, version, server => server.With(key, policy), options: new McpClientOptions
        {
            Handlers = new McpClientHandlers
            {
                ElicitationHandler = (asked, _) =>
                {
                    onForm(asked!);
                    return new(new ElicitResult { Action = "accept", Content = new Dictionary<string, System.Text.Json.JsonElement> { ["colour"] = System.Text.Json.JsonDocument.Parse("\"blue\"").RootElement } });
                },
                SamplingHandler = (asked, _, _) =>
                {
                    onSampling(asked!);
                    return new(new CreateMessageResult { Model = "m", Content = [new TextContentBlock { Text = "the model's answer" }] });
                },
            },
        });
}
