using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;

namespace Mcp.Guard.Tests.Proof;

/// <summary>The library as a host without the SDK calls it: through <see cref="IMcpHostPolicy"/>.</summary>
internal sealed class PipelineDecider(GuardUnderProof guard) : IDecider
{
    private readonly Queue<GuardEvaluation> _open = new();
    private GuardConnection? _connection;
    private (IReadOnlyList<ToolModel> Tools, CallerModel By) _listed = ([], new CallerModel("nobody", "s"));

    public GuardUnderProof Guard => guard;

    public bool HasOpenCalls => _open.Count > 0;

    public async ValueTask<bool> ListAsync(IReadOnlyList<ToolModel> tools, CallerModel by)
    {
        if (_connection is null)
        {
            await ((McpGuardHost)guard.Guard).StartAsync(CancellationToken.None);
            _connection = guard.Guard.OpenConnection("test");
        }

        await using GuardEvaluation evaluation = await guard.Guard.Policy.EvaluateAsync(_connection.CreateRequest("tools/list", "{}"u8, by.ToCaller()));
        if (!evaluation.IsAllowed)
        {
            return false;
        }

        var result = new JsonObject { ["tools"] = new JsonArray([.. tools.Select(static tool => tool.ToJson())]) };
        _listed = (tools, by);
        return (await evaluation.CompleteAsync(Parse(result.ToJsonString()))).Denial is null;
    }

    public async ValueTask<Verdict> DecideAsync(CallModel call, CallerModel by, AnswerModel answer, bool staysOpen)
    {
        guard.Answer = answer;
        int before = guard.Asked;
        GuardContext context = _connection!.CreateRequest("tools/call", Encoding.UTF8.GetBytes(call.Params(guard.Root)), by.ToCaller());
        GuardEvaluation evaluation = await guard.Guard.Policy.EvaluateAsync(context);
        var verdict = new Verdict(evaluation.Denial?.Code, guard.Asked > before);
        if (evaluation.IsAllowed && staysOpen)
        {
            _open.Enqueue(evaluation);
        }
        else
        {
            await FinishAsync(evaluation);
        }

        if (verdict.Asked && answer is AnswerModel.Tool or AnswerModel.ToolForAMinute)
        {
            // A host without the SDK lists again after somebody agreed to a change (docs/tool-pinning.md).
            await ListAsync(_listed.Tools, _listed.By);
        }

        return verdict;
    }

    public async ValueTask EndAsync()
    {
        if (_open.TryDequeue(out GuardEvaluation? evaluation))
        {
            await FinishAsync(evaluation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_open.Count > 0)
        {
            await EndAsync();
        }

        await guard.DisposeAsync();
    }

    private static async ValueTask FinishAsync(GuardEvaluation evaluation)
    {
        await using (evaluation)
        {
            if (evaluation.IsAllowed)
            {
                await evaluation.CompleteAsync(Parse("""{"content":[{"type":"text","text":"done"}]}"""));
            }
        }
    }

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
