using Mcp.Guard.Stages.ToolPinning;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A guard with everything built in, a policy, a clock that stands, and a person who answers as told.</summary>
internal sealed class GuardUnderProof : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    /// <summary>Makes a guard.</summary>
    /// <param name="policies">The servers with what the policy says of each.</param>
    /// <param name="root">A folder that exists.</param>
    /// <param name="configure">What else the host says.</param>
    public GuardUnderProof(IReadOnlyDictionary<string, PolicyModel> policies, string root, Action<McpGuardBuilder>? configure = null)
    {
        Root = root;
        var services = new ServiceCollection();
        McpGuardBuilder builder = services.AddMcpGuard(document =>
            {
                document.StateDirectory(root + ".guard");
                foreach ((string id, PolicyModel policy) in policies)
                {
                    document.Server(id, server =>
                    {
                        server.HostProvided().With("toolTimeout", "\"1d\"");
                        foreach (var (key, value) in policy.Keys(root))
                        {
                            server.With(key, value.ToJsonString());
                        }
                    });
                }
            })
            .UseAudit(Audit)
            .UseConsent((request, _) => new(AnswerTo(request)))
            .UsePinStore(static _ => new InMemoryPinStore())
            .UseSchemaCompiler(static _ => new FaultySchemas())
            .UseTimeProvider(Time);
        configure?.Invoke(builder);
        _services = services.BuildServiceProvider();
        Guard = _services.GetRequiredService<IMcpGuard>();
    }

    public IMcpGuard Guard { get; }

    public string Root { get; }

    public ProofTime Time { get; } = new();

    public AuditCollector Audit { get; } = new();

    /// <summary>What the person answers next.</summary>
    public AnswerModel Answer { get; set; }

    /// <summary>How often the person was asked.</summary>
    public int Asked { get; private set; }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private ConsentAnswer AnswerTo(ConsentRequest request)
    {
        Asked++;
        return Answer switch
        {
            AnswerModel.Once => ConsentAnswer.AllowOnce(request),
            AnswerModel.TheseArguments => ConsentAnswer.AllowTheseArguments(request),
            AnswerModel.Tool => ConsentAnswer.AllowTool(request),
            AnswerModel.TheseArgumentsForAMinute => ConsentAnswer.AllowTheseArguments(request, TimeSpan.FromMinutes(1)),
            AnswerModel.ToolForAMinute => ConsentAnswer.AllowTool(request, TimeSpan.FromMinutes(1)),
            AnswerModel.Never => ConsentAnswer.Never(request),
            AnswerModel.Nothing => null!,
            AnswerModel.Fails => throw new InvalidOperationException("the window is gone"),
            AnswerModel.AnswersAnother => ConsentAnswer.AllowTool(Another(request)),
            _ => ConsentAnswer.Deny(request),
        };
    }

    private static ConsentRequest Another(ConsentRequest request) => new()
    {
        RequestId = "another",
        DecisionId = request.DecisionId,
        ServerId = request.ServerId,
        Method = request.Method,
        ToolName = request.ToolName,
        ArgumentsForDisplay = request.ArgumentsForDisplay,
        Reasons = request.Reasons,
        Caller = request.Caller,
        IsDestructive = request.IsDestructive,
        IsOpenWorld = request.IsOpenWorld,
        Offered = request.Offered,
        Deadline = request.Deadline,
    };
}
