using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Benchmarks.Consent;

/// <summary>What the consent stage of a whole guard adds to a call that a grant covers, beside reading the call alone.</summary>
[MemoryDiagnoser]
public class ConsentStageBenchmarks : IDisposable
{
    private static readonly byte[] Call = Encoding.UTF8.GetBytes(
        """{"name":"delete_file","arguments":{"path":"/srv/project/src/readme.md","recursive":false,"limit":100,"pattern":"*.md","note":"five arguments"}}""");

    private readonly JsonDocument _call = JsonDocument.Parse(Call);
    private ServiceProvider _services = null!;
    private StageSlot<RequestContext> _stage = null!;
    private RequestContext _context = null!;

    [GlobalSetup]
    public void Setup()
    {
        var services = new ServiceCollection();
        services
            .AddMcpGuard(policy => policy.StateDirectory(Path.Combine(Path.GetTempPath(), "mcp-guard-bench")).Server("files", server =>
            {
                server.HostProvided();
                server.Ask("ask", rule => rule.Tools("delete_file").With("paths", """{"detect":"declared"}"""));
            }))
            .UseAudit(new NoAudit())
            .UseConsent((request, _) => new ValueTask<ConsentAnswer>(ConsentAnswer.AllowTool(request)));
        _services = services.BuildServiceProvider();
        var guard = _services.GetRequiredService<McpGuardHost>();
        guard.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        GuardConnection connection = guard.OpenConnection("files");
        GuardEvaluation listing = guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8)).AsTask().GetAwaiter().GetResult();
        JsonElement tools = JsonDocument.Parse("""{"tools":[{"name":"delete_file","inputSchema":{"type":"object"}}]}""").RootElement;
        listing.CompleteAsync(tools).AsTask().GetAwaiter().GetResult();

        _context = (RequestContext)connection.CreateRequest("tools/call", Call, new GuardCaller("ada", "s1"));
        GuardEvaluation first = guard.Policy.EvaluateAsync(_context).AsTask().GetAwaiter().GetResult();
        if (!first.IsAllowed)
        {
            throw new InvalidOperationException($"The call is not allowed: {first.Denial!.Code}.");
        }

        _stage = guard.Runtime.Pipeline.Stages.Request.Single(slot => string.Equals(slot.Name, GuardStages.Consent, StringComparison.Ordinal));
        if (!Stage() || _context.ConsentGiven)
        {
            throw new InvalidOperationException("The grant does not cover the call.");
        }
    }

    /// <summary>The call is read: what every call costs.</summary>
    [Benchmark(Baseline = true)]
    public bool Read()
    {
        _context.SetPayload(_call.RootElement);
        return _context.Fault is null;
    }

    /// <summary>The call is read, and the stage computes its digest and finds the grant.</summary>
    [Benchmark]
    public bool ReadAndStage()
    {
        _context.SetPayload(_call.RootElement);
        return Stage();
    }

    /// <summary>The stage where the digest was computed by a stage before it.</summary>
    [Benchmark]
    public bool Stage() => _stage.RunAsync(_context, CancellationToken.None).Result.Kind == GuardDecisionKind.Continue;

    [GlobalCleanup]
    public void Dispose()
    {
        _services.Dispose();
        _call.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class NoAudit : IAuditSink
    {
        public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default;
    }
}
