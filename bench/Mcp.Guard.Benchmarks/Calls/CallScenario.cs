using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.RateLimit;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>
/// A whole guard with one server, and the three calls that section 9 of the design speaks of: allowed (five arguments, one of them a path, ten rules, schema,
/// roots, rate, a grant in place, audit, all result stages), the same denied by a rule, and one that needs no consent.
/// </summary>
internal sealed class CallScenario : IAsyncDisposable
{
    private const string Tool = "edit_file";
    private const string Plain = "read_file";
    private const string Forbidden = "drop_all";
    private const string ServerId = "files";

    private readonly string _folder = Directory.CreateTempSubdirectory("mcp-guard-bench-").FullName;
    private readonly ServiceProvider _services;
    private readonly AuditFileSink? _queue;
    private readonly JsonNode _allowed;
    private readonly JsonNode _plain;
    private readonly JsonNode _forbidden;

    public CallScenario(CallScenarioOptions? options = null)
    {
        options ??= new();
        Options = options;
        Root = Directory.CreateDirectory(Path.Combine(_folder, "project", "src")).FullName;
        FilePath = Path.Combine(Root, "main.cs");
        File.WriteAllText(FilePath, "x");
        var services = new ServiceCollection();
        McpGuardBuilder builder = services.AddMcpGuard(Configure).UseConsent((request, _) => new ValueTask<ConsentAnswer>(ConsentAnswer.AllowTool(request)));
        builder.Parts.Flood = new AuditFloodOptions { Quota = options.Floods ? 100 : int.MaxValue };
        if (options.RateKeys > 0)
        {
            var store = new InMemoryRateLimitStore(TimeProvider.System, options.RateKeys + 10);
            for (int i = 1; i < options.RateKeys; i++)
            {
                var key = new RateLimitKey("default", null, null, string.Create(CultureInfo.InvariantCulture, $"user-{i:D8}"), "session");
                store.Limiter.Acquire(new RateLimitCharge(key, 1_000_000, TimeSpan.FromSeconds(1), 1_000_000));
            }

            builder.UseRateLimitStore(_ => store);
        }

        switch (options.Audit)
        {
            case AuditChoice.None:
                builder.UseAudit(new NoAudit());
                break;
            case AuditChoice.Queue:
                _queue = new AuditFileSink(
                    new AuditFileOptions { Directory = Path.Combine(_folder, "audit"), Durability = AuditDurability.BestEffort, QueueCapacity = 1_000_000, WriteTimeout = TimeSpan.FromMinutes(1) },
                    new NullAuditStorage(),
                    TimeProvider.System);
                _queue.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
                builder.UseAudit(_queue);
                break;
        }

        _services = services.BuildServiceProvider();
        Guard = _services.GetRequiredService<McpGuardHost>();
        Guard.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        Settings = Guard.Runtime.Policy.Current.Servers[ServerId];
        _allowed = Call(Tool, options.PayloadBytes);
        _plain = Call(Plain, options.PayloadBytes);
        _forbidden = Call(Forbidden, options.PayloadBytes);
        Result = JsonNode.Parse(new JsonObject
        {
            ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = Text(options.PayloadBytes) }),
            ["structuredContent"] = new JsonObject { ["changed"] = 3, ["path"] = "src/main.cs" },
            ["isError"] = false,
        }.ToJsonString())!;
        Connection = NewConnection();
        // What is too long to be shown to a person whole gets no lasting grant.
        bool asks = options.PayloadBytes <= 1_000;
        bool[] decided = [!asks || Allowed(), !asks || Allowed(), PlainCall(), !Denied()];
        if (decided.Contains(false))
        {
            throw new InvalidOperationException($"the scenario does not decide as it should: {string.Join(", ", decided)} with {options}");
        }
    }

    public CallScenarioOptions Options { get; }

    public McpGuardHost Guard { get; }

    public Policy.ServerSettings Settings { get; }

    public ConnectionState Connection { get; }

    public string Root { get; }

    public string FilePath { get; }

    public JsonNode Result { get; }

    public GuardCaller Caller { get; } = new("ada@example.test", "01989a5e-7f00-7000-8000-000000000001");

    /// <summary>A connection whose tools were listed.</summary>
    public ConnectionState NewConnection()
    {
        var connection = new ConnectionState(Guard.Runtime, Settings.Identity);
        return Lists(connection, ToolList(Options.Tools)) is null ? connection : throw new InvalidOperationException("the tools are not listed");
    }

    /// <summary>Lists tools over a connection; the denial, or null.</summary>
    public GuardDenial? Lists(ConnectionState connection, JsonElement tools)
    {
        RequestContext listing = connection.CreateRequest("tools/list", Caller);
        listing.SetPayload(JsonElement.Parse("{}"));
        GuardEvaluation evaluation = Guard.Policy.EvaluateAsync(listing).AsTask().GetAwaiter().GetResult();
        return evaluation.CompleteAsync(tools).AsTask().GetAwaiter().GetResult().Denial;
    }

    /// <summary>Judged, asked about by a rule, covered by a grant, recorded, its result judged and recorded.</summary>
    public bool Allowed() => Run(Connection, Caller, _allowed);

    /// <summary>The same for another caller or connection.</summary>
    public bool Allowed(ConnectionState connection, GuardCaller caller) => Run(connection, caller, _allowed);

    /// <summary>Allowed by a rule, so that nobody is asked.</summary>
    public bool PlainCall() => Run(Connection, Caller, _plain);

    /// <summary>The same for another caller or connection.</summary>
    public bool PlainCall(ConnectionState connection, GuardCaller caller) => Run(connection, caller, _plain);

    /// <summary>Denied by a rule.</summary>
    public bool Denied() => Run(Connection, Caller, _forbidden);

    /// <summary>The request alone, as the transport reads it.</summary>
    public RequestContext Read() => Read(Connection, Caller, _allowed);

    /// <summary>The request that a rule denies.</summary>
    public RequestContext ReadForbidden() => Read(Connection, Caller, _forbidden);

    /// <summary>The result alone, as the transport reads it.</summary>
    public JsonElement ReadResult()
    {
        MessageSnapshot.TryTake(Result, MessageLimits.MaxResultBytes, out JsonElement answer, out _);
        return MetaFilter.FromServer(answer, settings: null);
    }

    /// <summary>Waits until the writer of the queue has nothing left to do.</summary>
    public void Settle()
    {
        long before = -1;
        for (int still = 0; _queue is not null && still < 3;)
        {
            Thread.Sleep(1);
            long written = _queue.Health.Written;
            still = written == before ? still + 1 : 0;
            before = written;
        }
    }

    /// <summary>The same where records are awaited.</summary>
    public async ValueTask<bool> AllowedAsync()
    {
        GuardEvaluation evaluation = await Guard.Runtime.Pipeline.EvaluateAsync(Read(), CancellationToken.None).ConfigureAwait(false);
        return IsForwardable(evaluation) && (await evaluation.CompleteAsync(ReadResult()).ConfigureAwait(false)).IsAllowed;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_queue is not null)
        {
            await _queue.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static RequestContext Read(ConnectionState connection, GuardCaller caller, JsonNode parameters)
    {
        RequestContext context = connection.CreateRequest("tools/call", caller);
        if (!MessageSnapshot.TryTakeRequest(parameters, out RequestPayload payload, out string fault))
        {
            throw new InvalidOperationException(fault);
        }

        context.SetPayload(MetaFilter.ToServer(payload, context.Settings));
        return context;
    }

    /// <summary>What leaves is asked for, as the transport does: the element is made only then.</summary>
    private static bool IsForwardable(GuardEvaluation evaluation) => evaluation.Payload.ValueKind == JsonValueKind.Object;

    private bool Run(ConnectionState connection, GuardCaller caller, JsonNode parameters)
    {
        // Nothing in it waits, so the value is there at once.
        ValueTask<GuardEvaluation> judging = Guard.Runtime.Pipeline.EvaluateAsync(Read(connection, caller, parameters), CancellationToken.None);
        GuardEvaluation evaluation = judging.IsCompletedSuccessfully ? judging.Result : judging.AsTask().GetAwaiter().GetResult();
        if (!evaluation.IsAllowed || !IsForwardable(evaluation))
        {
            return false;
        }

        ValueTask<GuardResult> completing = evaluation.CompleteAsync(ReadResult());
        return (completing.IsCompletedSuccessfully ? completing.Result : completing.AsTask().GetAwaiter().GetResult()).IsAllowed;
    }

    private void Configure(GuardPolicyBuilder policy)
    {
        policy.StateDirectory(Path.Combine(_folder, "state")).AuditDirectory(Path.Combine(_folder, "audit"));
        policy.RateLimit(1_000_000, TimeSpan.FromSeconds(1));
        policy.Default("budgets", """{"repeats":{"permits":1000000,"per":"1s"}}""");
        policy.Server(ServerId, server =>
        {
            server.HostProvided().Root(Path.Combine(_folder, "project"));
            server.Ask("edits", rule => rule.Tools(Tool).Require("""{"type":"object","properties":{"limit":{"type":"integer","maximum":1000}}}"""));
            server.Allow("readers", Plain, "list_*");
            server.Deny("drops", "drop_*");
            for (int i = 3; i < Options.Rules; i++)
            {
                server.Deny(string.Create(CultureInfo.InvariantCulture, $"other-{i}"), string.Create(CultureInfo.InvariantCulture, $"unused_{i}"), string.Create(CultureInfo.InvariantCulture, $"old_{i}_*"));
            }
        });
    }

    private JsonNode Call(string tool, int payload)
    {
        JsonNode node = JsonNode.Parse(
            """{"_meta":{"progressToken":17},"name":"","arguments":{"path":"","find":"public static int Count(string text)","replace":"","limit":100,"dryRun":false}}""")!;
        node["name"] = tool;
        node["arguments"]!["path"] = FilePath;
        node["arguments"]!["replace"] = Text(payload);

        // As the SDK makes it: over the text that it was written to.
        return JsonNode.Parse(node.ToJsonString())!;
    }

    private static string Text(int length)
    {
        const string words = "The quick brown fox jumps over the lazy dog and reads the notes of the last meeting. ";
        var text = new StringBuilder(length + words.Length);
        while (text.Length < length)
        {
            text.Append(words);
        }

        text.Length = length;
        return text.ToString();
    }

    /// <summary>A list of so many tools, of which the first three are those that are called.</summary>
    public static JsonElement ToolList(int count)
    {
        const string rest = """
            "inputSchema":{"type":"object","properties":{"path":{"type":"string","maxLength":4096},"find":{"type":"string"},"replace":{"type":"string"},"limit":{"type":"integer","minimum":1},"dryRun":{"type":"boolean"}},"required":["path"],"additionalProperties":false},"outputSchema":{"type":"object","properties":{"changed":{"type":"integer"},"path":{"type":"string"}},"required":["changed"]}}
            """;
        var list = new StringBuilder("""{"tools":[""");
        for (int i = 0; i < count; i++)
        {
            string name = i switch { 0 => Tool, 1 => Plain, 2 => Forbidden, _ => string.Create(CultureInfo.InvariantCulture, $"tool_{i}") };
            list.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $$"""{"name":"{{name}}","description":"Tool number {{i}} of the measured server.",""").Append(rest);
        }

        return JsonElement.Parse(list.Append("]}").ToString());
    }
}
