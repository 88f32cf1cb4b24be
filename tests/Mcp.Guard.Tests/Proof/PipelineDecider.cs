using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;

namespace Mcp.Guard.Tests.Proof;

/// <summary>The library as a host without the SDK calls it: through <see cref="IMcpHostPolicy"/>.</summary>
internal sealed class PipelineDecider(GuardUnderProof guard) : IDecider
{
    private readonly Queue<(GuardEvaluation Evaluation, CallModel Call)> _open = new();
    private readonly Dictionary<string, GuardConnection> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (IReadOnlyList<ToolModel> Tools, CallerModel By)> _listed = new(StringComparer.Ordinal);

    public GuardUnderProof Guard => guard;

    public bool HasOpenCalls => _open.Count > 0;

    public async ValueTask<bool> ListAsync(string server, IReadOnlyList<ToolModel> tools, CallerModel by)
    {
        if (_connections.Count == 0)
        {
            await ((McpGuardHost)guard.Guard).StartAsync(CancellationToken.None);
        }

        if (!_connections.TryGetValue(server, out GuardConnection? connection))
        {
            _connections[server] = connection = guard.Guard.OpenConnection(server);
        }

        await using GuardEvaluation evaluation = await guard.Guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8, by.ToCaller()));
        if (!evaluation.IsAllowed)
        {
            return false;
        }

        var result = new JsonObject { ["tools"] = new JsonArray([.. tools.Select(static tool => tool.ToJson())]) };
        _listed[server] = (tools, by);
        return (await evaluation.CompleteAsync(Parse(result.ToJsonString()))).Denial is null;
    }

    public async ValueTask<Verdict> DecideAsync(Step.Call step)
    {
        (CallModel call, CallerModel by, AnswerModel answer, bool staysOpen, string server) = step;
        guard.Answer = answer;
        int before = guard.Asked;
        GuardContext context = _connections[server].CreateRequest(call.Method, Encoding.UTF8.GetBytes(call.Params(guard.Root)), by.ToCaller());
        GuardEvaluation evaluation = await guard.Guard.Policy.EvaluateAsync(context);
        var verdict = new Verdict(evaluation.Denial?.Code, guard.Asked > before);
        if (evaluation.IsAllowed && staysOpen)
        {
            _open.Enqueue((evaluation, call));
        }
        else
        {
            await FinishAsync(evaluation, call);
        }

        if (verdict.Asked && answer is AnswerModel.Tool or AnswerModel.ToolForAMinute)
        {
            // A host without the SDK lists again after somebody agreed to a change (docs/tool-pinning.md).
            await ListAsync(server, _listed[server].Tools, _listed[server].By);
        }

        return verdict;
    }

    public async ValueTask EndAsync()
    {
        if (_open.TryDequeue(out (GuardEvaluation Evaluation, CallModel Call) open))
        {
            await FinishAsync(open.Evaluation, open.Call);
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

    private static async ValueTask FinishAsync(GuardEvaluation evaluation, CallModel call)
    {
        await using (evaluation)
        {
            if (evaluation.IsAllowed)
            {
                await evaluation.CompleteAsync(Parse(call.Result));
            }
        }
    }

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
