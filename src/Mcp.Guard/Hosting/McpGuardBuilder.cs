using System.Diagnostics.CodeAnalysis;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard;

/// <summary>
/// Says which parts the guard uses. Each part may be given once; a second one stops the start, and so does a part that is missing. What is not said here is
/// not used, whatever else is registered in the container.
/// </summary>
public sealed class McpGuardBuilder
{
    internal McpGuardBuilder(IServiceCollection services, GuardParts parts)
    {
        Services = services;
        Parts = parts;
    }

    /// <summary>The services of the host.</summary>
    public IServiceCollection Services { get; }

    internal GuardParts Parts { get; }

    /// <summary>Asks people through a type of the host, resolved in a scope of its own for each prompt.</summary>
    /// <typeparam name="TProvider">The provider.</typeparam>
    public McpGuardBuilder UseConsent<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TProvider>()
        where TProvider : class, IConsentProvider => Add(Parts.Consent, GuardPart<IConsentProvider>.OfType<TProvider>());

    /// <summary>Asks people through an object of the host.</summary>
    /// <param name="provider">The provider.</param>
    public McpGuardBuilder UseConsent(IConsentProvider provider) => Add(Parts.Consent, GuardPart<IConsentProvider>.Of(NotNull(provider)));

    /// <summary>Asks people through a delegate.</summary>
    /// <param name="ask">Shows the request and returns the answer.</param>
    public McpGuardBuilder UseConsent(Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>> ask) => UseConsent(new DelegateConsentProvider(NotNull(ask)));

    /// <summary>Nobody is asked: every call that would ask is denied with <see cref="GuardDenialCodes.ConsentUnavailable"/>.</summary>
    public McpGuardBuilder DenyInsteadOfAsking()
    {
        Parts.DenyInsteadOfAsking = true;
        return this;
    }

    /// <summary>
    /// Adds a stage of the host. It judges every kind of message that it implements; for a kind whose stages have no such name as is said here, it runs before
    /// a person is asked, or last where nobody is.
    /// </summary>
    /// <typeparam name="TStage">Implements <see cref="IGuardStage{TContext}"/> for one or more kinds of message.</typeparam>
    /// <param name="before">The stage before which it runs (see <see cref="GuardStages"/>); null where <paramref name="after"/> or nothing is said.</param>
    /// <param name="after">The stage after which it runs.</param>
    public McpGuardBuilder AddStage<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TStage>(string? before = null, string? after = null)
        where TStage : class, IGuardStage => AddStage(GuardPart<IGuardStage>.OfType<TStage>(), before, after);

    /// <summary>Adds a stage of the host.</summary>
    /// <param name="stage">Implements <see cref="IGuardStage{TContext}"/> for one or more kinds of message.</param>
    /// <param name="before">The stage before which it runs.</param>
    /// <param name="after">The stage after which it runs.</param>
    public McpGuardBuilder AddStage(IGuardStage stage, string? before = null, string? after = null) =>
        AddStage(GuardPart<IGuardStage>.Of(NotNull(stage)), before, after);

    /// <summary>Puts every record into this sink in place of the audit files of the policy.</summary>
    /// <param name="sink">The required sink: what it cannot take is denied.</param>
    public McpGuardBuilder UseAudit(IAuditSink sink) => Add(Parts.Audit, GuardPart<IAuditSink>.Of(NotNull(sink)));

    /// <summary>Puts every record into a sink that is made with the host's services.</summary>
    /// <param name="create">Makes the sink, once.</param>
    public McpGuardBuilder UseAudit(Func<IServiceProvider, IAuditSink> create) => Add(Parts.Audit, GuardPart<IAuditSink>.OfFactory(NotNull(create)));

    /// <summary>
    /// Sets what the policy does not say about the audit files: keys of checkpoints, a sink for them, sizes, intervals. The options arrive as the policy
    /// filled them. The folder and the checkpoint file are the policy's, because roots and isolation protect what the policy names; naming others here
    /// stops the start.
    /// </summary>
    /// <param name="configure">Changes the options.</param>
    public McpGuardBuilder UseAuditFiles(Action<AuditFileOptions> configure)
    {
        Parts.AuditFiles.Add(NotNull(configure));
        return this;
    }

    /// <summary>Gives every record to one more sink, beside the audit files or the sink of <c>UseAudit</c>.</summary>
    /// <param name="name">For messages and health; unlike the others.</param>
    /// <param name="create">Makes the sink, once.</param>
    /// <param name="isRequired">
    /// True where what this sink cannot take is denied as well. False, the default: it gets records through a queue of 4,096, may fail and lag, and what it
    /// does not take is counted in the health.
    /// </param>
    public McpGuardBuilder AddAuditSink(string name, Func<IServiceProvider, IAuditSink> create, bool isRequired = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Parts.AuditSinks.Add(new AuditSinkPlacement(name, GuardPart<IAuditSink>.OfFactory(NotNull(create)), isRequired));
        return this;
    }

    /// <summary>
    /// Tells the host's log what is decided, beside the audit: event 4800 of category <c>Mcp.Guard.Audit</c>; arguments, results and reasons at trace level
    /// only (4801).
    /// </summary>
    public McpGuardBuilder AddAuditLogging() => AddAuditSink("log", static services => new LoggerAuditSink(services.GetRequiredService<ILoggerFactory>()));

    /// <summary>Remembers consents here instead of in memory.</summary>
    /// <param name="create">Makes the store, once.</param>
    public McpGuardBuilder UseConsentStore(Func<IServiceProvider, IConsentStore> create) => Add(Parts.ConsentStore, GuardPart<IConsentStore>.OfFactory(NotNull(create)));

    /// <summary>Remembers tool definitions here.</summary>
    /// <param name="create">Makes the store, once.</param>
    public McpGuardBuilder UsePinStore(Func<IServiceProvider, IPinStore> create) => Add(Parts.PinStore, GuardPart<IPinStore>.OfFactory(NotNull(create)));

    /// <summary>Counts calls here instead of in memory.</summary>
    /// <param name="create">Makes the store, once.</param>
    public McpGuardBuilder UseRateLimitStore(Func<IServiceProvider, IRateLimitStore> create) => Add(Parts.RateLimitStore, GuardPart<IRateLimitStore>.OfFactory(NotNull(create)));

    /// <summary>Counts what sessions spend here instead of in memory.</summary>
    /// <param name="create">Makes the store, once.</param>
    public McpGuardBuilder UseBudgetStore(Func<IServiceProvider, IBudgetStore> create) => Add(Parts.BudgetStore, GuardPart<IBudgetStore>.OfFactory(NotNull(create)));

    /// <summary>Keeps stops here instead of in memory.</summary>
    /// <param name="create">Makes the store, once.</param>
    public McpGuardBuilder UseHaltStore(Func<IServiceProvider, IHaltStore> create) => Add(Parts.HaltStore, GuardPart<IHaltStore>.OfFactory(NotNull(create)));

    /// <summary>Compiles schemas with another engine. It must be safe against hostile schemas: see <c>docs/json-schema.md</c>.</summary>
    /// <param name="create">Makes the compiler, once.</param>
    public McpGuardBuilder UseSchemaCompiler(Func<IServiceProvider, ISchemaCompiler> create) => Add(Parts.SchemaCompiler, GuardPart<ISchemaCompiler>.OfFactory(NotNull(create)));

    /// <summary>Judges paths with another normaliser.</summary>
    /// <param name="create">Makes the normaliser, once.</param>
    public McpGuardBuilder UseRootNormalizer(Func<IServiceProvider, IRootNormalizer> create) => Add(Parts.RootNormalizer, GuardPart<IRootNormalizer>.OfFactory(NotNull(create)));

    /// <summary>Counts tokens with another counter. It must never count fewer than the model does.</summary>
    /// <param name="create">Makes the counter, once.</param>
    public McpGuardBuilder UseTokenCounter(Func<IServiceProvider, ITokenCounter> create) => Add(Parts.TokenCounter, GuardPart<ITokenCounter>.OfFactory(NotNull(create)));

    /// <summary>Cleans text with another sanitiser.</summary>
    /// <param name="create">Makes the sanitiser, once.</param>
    public McpGuardBuilder UseContentSanitizer(Func<IServiceProvider, IContentSanitizer> create) => Add(Parts.ContentSanitizer, GuardPart<IContentSanitizer>.OfFactory(NotNull(create)));

    /// <summary>Redacts texts with code of the host, after the guard's own redactor: it can only add to it.</summary>
    /// <param name="create">Makes the redactor, once.</param>
    public McpGuardBuilder UseContentRedactor(Func<IServiceProvider, IContentRedactor> create) => Add(Parts.ContentRedactor, GuardPart<IContentRedactor>.OfFactory(NotNull(create)));

    /// <summary>Redacts texts with a delegate of the host, after the guard's own redactor: it can only add to it.</summary>
    /// <param name="redact">Takes a text and returns what may be recorded or shown of it, for example <c>redactor.Redact</c> of Microsoft.Extensions.Compliance.</param>
    public McpGuardBuilder UseContentRedactor(Func<string, string> redact) => Add(Parts.ContentRedactor, GuardPart<IContentRedactor>.Of(new DelegateContentRedactor(NotNull(redact))));

    /// <summary>Resolves secrets of the policy, before the environment is asked.</summary>
    /// <param name="create">Makes the resolver, once.</param>
    public McpGuardBuilder AddSecretResolver(Func<IServiceProvider, ISecretResolver> create)
    {
        Parts.SecretResolvers.Add(GuardPart<ISecretResolver>.OfFactory(NotNull(create)));
        return this;
    }

    /// <summary>Takes time from here: for tests.</summary>
    /// <param name="time">The clock.</param>
    public McpGuardBuilder UseTimeProvider(TimeProvider time)
    {
        Parts.Time = NotNull(time);
        return this;
    }

    /// <summary>How long one stage may take before its message is denied. More than zero, at most 60 seconds; default 5 seconds.</summary>
    /// <param name="deadline">The time.</param>
    public McpGuardBuilder UseStageDeadline(TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(deadline, TimeSpan.FromSeconds(60));
        Parts.StageDeadline = deadline;
        return this;
    }

    /// <summary>
    /// Lets what rules, rates, budgets and consent would deny pass, recorded: see <see cref="Pipeline.DryRun"/>. For <c>mcp-guard run --dry-run</c>; no host and no
    /// policy can say it.
    /// </summary>
    internal McpGuardBuilder RunDry()
    {
        Parts.IsDryRun = true;
        return this;
    }

    private static T NotNull<T>(T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value;
    }

    private McpGuardBuilder Add<T>(List<GuardPart<T>> list, GuardPart<T> part)
        where T : class
    {
        list.Add(part);
        return this;
    }

    private McpGuardBuilder AddStage(GuardPart<IGuardStage> part, string? before, string? after)
    {
        if (before is not null && after is not null)
        {
            throw new ArgumentException("Say before or after, not both: one place decides.", nameof(after));
        }

        Parts.Stages.Add(new StagePlacement(part, before, after));
        return this;
    }
}
