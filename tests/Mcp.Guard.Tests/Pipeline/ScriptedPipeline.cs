using System.Text;
using System.Text.Json;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>A guard's pipeline in which a test puts decisions in the place of its stages; without a transport.</summary>
internal sealed class ScriptedPipeline : IAsyncDisposable
{
    public static readonly GuardCaller Ada = new("ada", "s1");

    private ScriptedPipeline(GuardFixture guard)
    {
        Guard = guard;
        Connection = guard.Guard.OpenConnection("test");
    }

    public GuardFixture Guard { get; }

    public GuardConnection Connection { get; }

    public GuardPipeline Pipeline => Guard.Host.Runtime.Pipeline;

    public StageLists Stages => Pipeline.Stages;

    /// <summary>Calls that hold a slot of the server.</summary>
    public int Running => Pipeline.Gate.CountOf("test").Running;

    /// <summary>A guard that allows the tools <c>echo</c> and <c>other</c>, which its server has listed.</summary>
    public static async Task<ScriptedPipeline> StartAsync(Action<GuardServerBuilder>? server = null, Action<McpGuardBuilder>? configure = null)
    {
        var made = new ScriptedPipeline(new GuardFixture(server ?? (settings => settings.Allow("all", "echo", "other")), configure));
        await made.Guard.Host.StartAsync(default);
        GuardEvaluation listing = await made.Guard.Guard.Policy.EvaluateAsync(made.Connection.CreateRequest("tools/list", "{}"u8));
        await listing.CompleteAsync(JsonElement.Parse("""{"tools":[{"name":"echo","inputSchema":{"type":"object"}},{"name":"other","inputSchema":{"type":"object"}}]}"""));
        return made;
    }

    public RequestContext Request(string method = "tools/call", string parameters = """{"name":"echo","arguments":{"a":1}}""", GuardCaller? caller = null) =>
        (RequestContext)Connection.CreateRequest(method, Encoding.UTF8.GetBytes(parameters), caller ?? Ada);

    public async Task<Evaluation> EvaluateAsync(RequestContext? request = null, CancellationToken ct = default) => (Evaluation)await Pipeline.EvaluateAsync(request ?? Request(), ct);

    /// <summary>Puts decisions in the place of a stage: the next one each time it runs, and the last from then on.</summary>
    /// <returns>The values that it was shown.</returns>
    public List<string> Put<TContext>(StageSlot<TContext>[] list, string stage, params GuardDecision[] decisions)
        where TContext : GuardContext =>
        Put(list, stage, (_, run) => decisions[Math.Min(run, decisions.Length - 1)]);

    public List<string> Put<TContext>(StageSlot<TContext>[] list, string stage, Func<TContext, int, GuardDecision> decide)
        where TContext : GuardContext
    {
        var scripted = new Scripted<TContext>(stage, decide);
        list[Array.FindIndex(list, slot => slot.Name == stage)] = new StageSlot<TContext>(scripted, TimeSpan.FromSeconds(60), TimeProvider.System, Pipeline.Logger);
        return scripted.Seen;
    }

    public ValueTask DisposeAsync() => Guard.DisposeAsync();

    private sealed class Scripted<TContext>(string name, Func<TContext, int, GuardDecision> decide) : IGuardStage<TContext>
        where TContext : GuardContext
    {
        public List<string> Seen { get; } = [];

        public string Name => name;

        public ValueTask<GuardDecision> EvaluateAsync(TContext context, CancellationToken ct)
        {
            Seen.Add(context.Payload.ValueKind == JsonValueKind.Undefined ? string.Empty : context.Payload.GetRawText());
            return new(decide(context, Seen.Count - 1));
        }
    }
}
