using System.Runtime.CompilerServices;
using System.Text;
using Mcp.Guard.Audit;
using Mcp.Guard.Gateway;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Concurrency;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Stages.PromptLimit;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ServerRequests;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.Hosting;

/// <summary>Puts a guard together from the builder's parts and the policy, and refuses what is missing, doubled or insecure.</summary>
internal static class GuardFactory
{
    private const string DefaultPolicyName = "mcp-guard.json";

    private static readonly ConditionalWeakTable<PolicyDefaults, ConcurrencyLimits> Concurrency = [];

    public static McpGuardHost Create(IServiceProvider services, GuardRegistration registration)
    {
        GuardParts parts = registration.Builder!.Parts;
        TimeProvider time = parts.Time ?? TimeProvider.System;
        ILoggerFactory loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        ILogger logger = loggers.CreateLogger("Mcp.Guard");
        var owned = new List<IAsyncDisposable>();

        ISchemaCompiler schemas = One(parts.SchemaCompiler, nameof(McpGuardBuilder.UseSchemaCompiler))?.Create(services) ?? new BuiltInSchemaCompiler();
        IPolicySource policy = OpenPolicy(services, registration, schemas, time, owned);
        if (parts.IsDryRun)
        {
            policy = new DryRunPolicySource(policy);
        }

        PolicySnapshot current = policy.Current;
        foreach (string warning in current.Warnings)
        {
            HostingLog.PolicyWarning(logger, warning);
        }

        ConsentSource consent = ConsentOf(services, parts, current);
        var secrets = new SecretResolution([.. parts.SecretResolvers.Select(part => part.Create(services)), new EnvironmentSecretResolver()]);
        AuditSinks sinks = AuditSinks.Create(services, parts, current, secrets, time, logger, owned);
        var redaction = new ContentRedaction(One(parts.ContentRedactor, nameof(McpGuardBuilder.UseContentRedactor))?.Create(services));
        var audit = new AuditTrail(sinks.Gate, new AuditContent(() => sinks.Files?.Digest, value => redaction.Apply(value), redaction.RunsHostCode), time, logger);
        IHaltStore haltStore = One(parts.HaltStore, nameof(McpGuardBuilder.UseHaltStore))?.Create(services) ?? new InMemoryHaltStore();
        var halts = new HaltSwitch(haltStore, time);
        IPinStore pins = One(parts.PinStore, nameof(McpGuardBuilder.UsePinStore))?.Create(services) ?? DefaultPins(current, time, logger, owned);
        IRootNormalizer roots = One(parts.RootNormalizer, nameof(McpGuardBuilder.UseRootNormalizer))?.Create(services) ?? new RootNormalizer();
        IContentSanitizer sanitizer = One(parts.ContentSanitizer, nameof(McpGuardBuilder.UseContentSanitizer))?.Create(services) ?? new BuiltInContentSanitizer();
        var service = new ConsentService(
            One(parts.ConsentStore, nameof(McpGuardBuilder.UseConsentStore))?.Create(services) ?? DefaultGrants(current, time, logger, owned),
            consent,
            new ConsentRecorder(audit),
            new ConsentOptions { AnswerTimeout = current.Defaults.ConsentTimeout },
            time,
            logger);
        var budgets = new SessionBudgets(One(parts.BudgetStore, nameof(McpGuardBuilder.UseBudgetStore))?.Create(services) ?? new InMemoryBudgetStore(time));
        var gate = new ConcurrencyGate(ConcurrencyLimits.Default, time, server => ConcurrencyOf(policy.Current, server));
        var stageParts = new StageParts
        {
            Halts = halts,
            RateLimits = One(parts.RateLimitStore, nameof(McpGuardBuilder.UseRateLimitStore))?.Create(services) ?? new InMemoryRateLimitStore(time),
            Roots = roots,
            Consent = service,
            Budgets = budgets,
            Tokens = One(parts.TokenCounter, nameof(McpGuardBuilder.UseTokenCounter))?.Create(services) ?? ConservativeTokenCounter.Instance,
            Sanitizer = sanitizer,
            Redaction = redaction,
        };
        List<(StagePlacement, IGuardStage)> placed = [.. parts.Stages.Select(placement => (placement, placement.Part.Create(services)))];
        StageLists lists = StageOrder.Build(stageParts, placed, parts.StageDeadline, time, logger);
        var pipeline = new GuardPipeline(lists, audit, gate, budgets, time, logger, parts.IsDryRun ? new DryRun(audit, logger) : null);
        var register = new PinRegister(pins, time);
        var connections = new ConnectionRegistry();
        var runtime = new GuardRuntime
        {
            Policy = policy,
            Pipeline = pipeline,
            Halts = halts,
            Schemas = schemas,
            Answers = new HostAnswerCheck(schemas, redaction),
            Pins = register,
            Reviews = new ToolReviews(register, audit, policy, connections, time),
            Connections = connections,
            Sanitizer = sanitizer,
            Redaction = redaction,
            Tools = new ToolEntryCache(schemas),
            Consent = service,
            RequiresCaller = ServesManyUsers(registration.Builder.Services),
            Time = time,
            Loggers = loggers,
            Flood = parts.Flood,
            IsDryRun = parts.IsDryRun,
        };
        var transports = new ServerTransportFactory(policy, secrets, audit, sanitizer, time, loggers);
        var host = new McpGuardHost(runtime, transports, sinks, owned, StartRecord(parts, lists, current, time));
        runtime.StartAsync = host.StartAsync;
        return host;
    }

    internal static GuardPart<T>? One<T>(List<GuardPart<T>> parts, string method)
        where T : class => parts.Count switch
        {
            0 => null,
            1 => parts[0],
            _ => throw new McpGuardConfigurationException(
                $"{parts.Count} parts of kind {typeof(T).Name} are registered ({string.Join("; ", parts.Select(part => part.Description))}). Call {method}(...) once: which of them decides must not depend on the order."),
        };

    private static IPolicySource OpenPolicy(IServiceProvider services, GuardRegistration registration, ISchemaCompiler schemas, TimeProvider time, List<IAsyncDisposable> owned)
    {
        if (registration.Snapshot is { } snapshot)
        {
            return new StaticPolicySource(snapshot);
        }

        if (registration.Configure is { } configure)
        {
            var builder = new GuardPolicyBuilder();
            configure(builder);
            return new StaticPolicySource(PolicyReader.Read(builder, schemas));
        }

        string contentRoot = services.GetService<IHostEnvironment>()?.ContentRootPath ?? AppContext.BaseDirectory;
        string path = Path.GetFullPath(registration.Path ?? DefaultPolicyName, contentRoot);
        if (registration.Path is null && !File.Exists(path))
        {
            return new StaticPolicySource(PolicyReader.Read(new GuardPolicyBuilder(), schemas));
        }

        var source = new PolicyFileSource(path, schemas, time);
        owned.Add(new DisposableAdapter(source));
        return source;
    }

    private static ConsentSource ConsentOf(IServiceProvider services, GuardParts parts, PolicySnapshot policy)
    {
        GuardPart<IConsentProvider>? provider = One(parts.Consent, nameof(McpGuardBuilder.UseConsent));
        if (provider is not null && parts.DenyInsteadOfAsking)
        {
            throw new McpGuardConfigurationException("Both UseConsent(...) and DenyInsteadOfAsking() were called. Keep one.");
        }

        if (provider is null && !parts.DenyInsteadOfAsking && services.GetService<GatewayRegistration>() is not null)
        {
            provider = GuardPart<IConsentProvider>.Of(new GatewayConsentProvider());
        }

        if (provider is null && !parts.DenyInsteadOfAsking && policy.CanAsk)
        {
            throw new McpGuardConfigurationException(
                "The policy can ask for consent, and nobody can be asked. Call .UseConsent<YourConsentProvider>() on AddMcpGuard(...), or .DenyInsteadOfAsking() to deny such calls.");
        }

        return new ConsentSource(provider, services.GetRequiredService<IServiceScopeFactory>());
    }

    /// <summary>A gateway, or a host that serves HTTP: calls of nobody in particular would share grants and rates.</summary>
    private static bool ServesManyUsers(IServiceCollection services) => services.Any(static descriptor =>
        descriptor.ServiceType == typeof(GatewayRegistration)
        || string.Equals(descriptor.ServiceType.FullName, "Microsoft.AspNetCore.Hosting.IWebHostEnvironment", StringComparison.Ordinal));

    /// <summary>A host with a policy file outlives its process: its pins and grants do too. A policy in code keeps them in memory unless the host says otherwise.</summary>
    private static IPinStore DefaultPins(PolicySnapshot policy, TimeProvider time, ILogger logger, List<IAsyncDisposable> owned)
    {
        if (policy.SourcePath is null)
        {
            return new InMemoryPinStore();
        }

        var pins = new FilePinStore(Path.Combine(policy.StateDirectory, "pins.json"), time, logger);
        owned.Add(new DisposableAdapter(pins));
        return pins;
    }

    private static IConsentStore DefaultGrants(PolicySnapshot policy, TimeProvider time, ILogger logger, List<IAsyncDisposable> owned)
    {
        if (policy.SourcePath is null)
        {
            return new InMemoryConsentStore(time);
        }

        var grants = new FileConsentStore(Path.Combine(policy.StateDirectory, "grants.json"), time, logger);
        owned.Add(new DisposableAdapter(grants));
        return grants;
    }

    private static ConcurrencyLimits? ConcurrencyOf(PolicySnapshot policy, string server) =>
        policy.ServersById.TryGetValue(server, out ServerSettings? settings)
            ? Concurrency.GetValue(settings.Limits, static limits => new ConcurrencyLimits
            {
                PerServer = limits.MaxConcurrentCalls,
                PerCaller = limits.MaxConcurrentCallsPerCaller,
                QueuePerServer = limits.MaxQueuedCalls,
                QueuePerCaller = (limits.MaxQueuedCalls + 1) / 2,
            })
            : null;

    private static AuditRecord StartRecord(GuardParts parts, StageLists lists, PolicySnapshot policy, TimeProvider time)
    {
        var text = new StringBuilder("request stages: ");
        text.AppendJoin(" > ", lists.Request.Select(slot => slot.Name));
        foreach (string part in (IEnumerable<string>)
                 [
                     .. parts.Consent.Select(part => "consent=" + part.Description),
                     .. parts.Audit.Select(part => "audit=" + part.Description),
                     .. parts.AuditSinks.Select(sink => $"audit {(sink.IsRequired ? "required" : "optional")} '{sink.Name}'={sink.Part.Description}"),
                     .. parts.PinStore.Select(part => "pins=" + part.Description),
                     .. parts.ConsentStore.Select(part => "grants=" + part.Description),
                     .. parts.RateLimitStore.Select(part => "rates=" + part.Description),
                     .. parts.BudgetStore.Select(part => "budgets=" + part.Description),
                     .. parts.HaltStore.Select(part => "halts=" + part.Description),
                     .. parts.SchemaCompiler.Select(part => "schemas=" + part.Description),
                     .. parts.RootNormalizer.Select(part => "roots=" + part.Description),
                     .. parts.TokenCounter.Select(part => "tokens=" + part.Description),
                     .. parts.ContentSanitizer.Select(part => "sanitizer=" + part.Description),
                     .. parts.ContentRedactor.Select(part => "redactor=" + part.Description),
                     .. parts.SecretResolvers.Select(part => "secrets=" + part.Description),
                     .. parts.Stages.Select(stage => "stage=" + stage.Part.Description),
                 ])
        {
            text.Append("; ").Append(part);
        }

        if (parts.IsDryRun)
        {
            text.Append("; DRY RUN: what rules, rates, budgets and consent would deny passes");
        }

        if (parts.DenyInsteadOfAsking)
        {
            text.Append("; consent=denied instead of asked");
        }

        return new AuditRecord
        {
            Kind = AuditKind.Start,
            Time = time.GetUtcNow(),
            Decision = "start",
            Reason = text.ToString(),
            PolicyRevision = policy.Revision,
        };
    }
}
