using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Notifications;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.Notifications;

/// <summary>What a server may tell without being asked, one notification at a time: everything else is dropped.</summary>
[TestFixture]
internal sealed class ServerNotificationStageTests
{
    private const string Off = """{"allow":true}""";
    private const string On = """{"allow":true,"url":true,"urls":["https://ok.example"]}""";

    [TestCase("notifications/tools/list_changed", "{}", null)]
    [TestCase("notifications/prompts/list_changed", "{}", null)]
    [TestCase("notifications/resources/list_changed", "{}", null)]
    [TestCase("notifications/message", """{"level":"info","data":"x"}""", null)]
    [TestCase("notifications/message", "[]", null)]
    [TestCase("notifications/strange", "{}", "method-not-allowed")]
    [TestCase("notifications/initialized", "{}", "method-not-allowed")]
    [TestCase("", "{}", "method-not-allowed")]
    [TestCase("notifications/progress", """{"progressToken":"mine","progress":1}""", null)]
    [TestCase("notifications/progress", """{"progressToken":"another","progress":1}""", "method-not-allowed")]
    [TestCase("notifications/progress", """{"progress":1}""", "method-not-allowed")]
    [TestCase("notifications/progress", "[]", "method-not-allowed")]
    [TestCase("notifications/resources/updated", """{"uri":"notes://mine"}""", null)]
    [TestCase("notifications/resources/updated", """{"uri":"notes://another"}""", "method-not-allowed")]
    [TestCase("notifications/resources/updated", """{"uri":1}""", "method-not-allowed")]
    [TestCase("notifications/resources/updated", "{}", "method-not-allowed")]
    [TestCase("notifications/resources/updated", "[]", "method-not-allowed")]
    [TestCase("notifications/elicitation/complete", """{"elicitationId":"e"}""", "server-request-refused")]
    public async Task Notification_OfAServer_PassesOnlyWhereItBelongsToSomething(string method, string parameters, string? code) =>
        Assert.That(await JudgeAsync(method, parameters, Off), Is.EqualTo(code));

    [TestCase(Off, "server-request-refused")]
    [TestCase(null, "server-request-refused")]
    [TestCase(On, null)]
    public async Task ElicitationComplete_PassesOnlyWhereElicitationByUrlIsOn(string? elicitation, string? code) =>
        Assert.That(await JudgeAsync("notifications/elicitation/complete", """{"elicitationId":"e"}""", elicitation), Is.EqualTo(code));

    [Test]
    public async Task Notification_OfTheClient_IsNotThisStagesToJudge() =>
        Assert.That(await JudgeAsync("notifications/strange", "{}", null, isFromServer: false), Is.Null);

    private static async Task<string?> JudgeAsync(string method, string parameters, string? elicitation, bool isFromServer = true)
    {
        await using var guard = new GuardFixture(server =>
        {
            if (elicitation is not null)
            {
                server.With("elicitation", elicitation);
            }
        });
        ConnectionState connection = guard.Guard.OpenConnection("test").State;
        connection.OwnsProgressToken = static token => token == "\"mine\"";
        connection.Subscriptions.TryAdd("notes://mine");
        var context = new NotificationContext(connection, connection.ConnectionCaller, "decision", method, JsonElement.Parse(parameters), isFromServer);
        GuardDecision decision = await new ServerNotificationStage(new BuiltInContentSanitizer(), new ContentRedaction(null)).EvaluateAsync(context, CancellationToken.None);
        return decision.Kind == GuardDecisionKind.Deny ? decision.Code : null;
    }
}
