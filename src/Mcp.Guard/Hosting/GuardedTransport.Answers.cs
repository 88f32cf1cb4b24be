using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ServerRequests;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <content>The host's answers to requests of the server.</content>
internal sealed partial class GuardedTransport
{
    /// <summary>What of the host's answer may leave. One that comes when every call that it could belong to has ended is too late.</summary>
    private HostAnswer JudgeAnswer(OpenServerRequest asked, JsonRpcMessageWithId answer)
    {
        if (!Array.Exists(asked.Calls, static call => call.IsForwarded))
        {
            return HostAnswer.Refused("the answer came after the end of the call");
        }

        if (answer is not JsonRpcResponse response)
        {
            return HostAnswer.Refused("the host's handler failed"); // its text may name things of the host
        }

        return MessageSnapshot.TryTake(response.Result, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault)
            ? _state.Runtime.Answers.Judge(asked.Context, payload)
            : HostAnswer.Refused(fault);
    }

    /// <summary>The open calls of one caller, which are all that a server's request can belong to.</summary>
    private OpenCall[] CallsOf(GuardCaller caller) =>
        [.. _open.Values.Where(call => call.IsForwarded && !call.IsOwn && call.Context?.Kind is not (RequestKind.Lifecycle or RequestKind.Subscription) && call.Caller.Equals(caller))];

    /// <summary>Records an answer, without its content. False where one that would leave could not be recorded.</summary>
    internal ValueTask<bool> RecordAnswerAsync(ServerRequestContext asked, HostAnswer answer) => RecordServerRequestAsync(
        asked,
        answer.IsSent ? null : new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.ServerRequests, answer.Fault ?? "the answer was not judged"),
        answer.IsSent ? "answer" : "answer-refused");
}
