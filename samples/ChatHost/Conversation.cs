using Mcp.Guard;
using Microsoft.Extensions.AI;

namespace ChatHost;

/// <summary>One user's chat. Approvals come from the person who types, never from the model.</summary>
internal sealed class Conversation(IMcpGuard guard, IChatClient chat, ChatOptions options)
{
    private readonly List<ChatMessage> _history = [];

    public async Task SayAsync(string text, bool approves)
    {
        Console.WriteLine($"\nada        {text}");
        using IDisposable scope = guard.BeginScope(new GuardCaller("ada", "chat-1") { Intent = text });
        _history.Add(new ChatMessage(ChatRole.User, text));
        while (true)
        {
            ChatResponse response = await chat.GetResponseAsync(_history, options);
            _history.AddRange(response.Messages);
            List<AIContent> answers = [];
            foreach (AIContent content in response.Messages.SelectMany(message => message.Contents))
            {
                switch (content)
                {
                    case ToolApprovalRequestContent asked:
                        Console.WriteLine($"  asked    {asked.GetMcpGuardPrompt()?.Split('\n')[0]} {(approves ? "yes" : "no")}");
                        answers.Add(asked.CreateResponse(approves));
                        break;
                    case FunctionResultContent result:
                        Console.WriteLine($"  tool     {result.Result}");
                        break;
                    case TextContent said:
                        Console.WriteLine($"model      {said.Text}");
                        break;
                }
            }

            if (answers.Count == 0)
            {
                return;
            }

            _history.Add(new ChatMessage(ChatRole.User, answers));
        }
    }
}
