using System.Collections.Concurrent;
using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>A host whose handlers note what reaches them and answer as the test says.</summary>
internal sealed class AskedHost
{
    public ConcurrentQueue<ElicitRequestParams> Elicitations { get; } = new();

    public ConcurrentQueue<CreateMessageRequestParams> Samplings { get; } = new();

    public Func<CancellationToken, Task<ElicitResult>> OnElicitation { get; set; } = _ => Task.FromResult(Accept("""{"name":"x"}"""));

    public CreateMessageResult Message { get; set; } = Text("the answer");

    public McpClientOptions Options => new()
    {
        Handlers = new McpClientHandlers
        {
            ElicitationHandler = async (asked, ct) =>
            {
                Elicitations.Enqueue(asked!);
                return await OnElicitation(ct);
            },
            SamplingHandler = (asked, _, _) =>
            {
                Samplings.Enqueue(asked!);
                return new(Message);
            },
        },
    };

    public bool WasReached => !Elicitations.IsEmpty || !Samplings.IsEmpty;

    public static ElicitResult Accept(string content) => new()
    {
        Action = "accept",
        Content = JsonDocument.Parse(content).RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.Clone()),
    };

    public static CreateMessageResult Text(string text) => new() { Model = "test-model", Role = Role.Assistant, Content = [new TextContentBlock { Text = text }] };
}
