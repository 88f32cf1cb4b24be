using Mcp.Guard.Audit;

namespace Mcp.Guard.Hosting;

/// <summary>Everything that the builder was told, before it is checked.</summary>
internal sealed class GuardParts
{
    public List<GuardPart<IConsentProvider>> Consent { get; } = [];

    public List<GuardPart<IAuditSink>> Audit { get; } = [];

    /// <summary>What the host says about the audit files beyond the policy.</summary>
    public List<Action<AuditFileOptions>> AuditFiles { get; } = [];

    /// <summary>Sinks beside the one that <see cref="Audit"/> or the files are.</summary>
    public List<AuditSinkPlacement> AuditSinks { get; } = [];

    public List<GuardPart<IConsentStore>> ConsentStore { get; } = [];

    public List<GuardPart<IPinStore>> PinStore { get; } = [];

    public List<GuardPart<IRateLimitStore>> RateLimitStore { get; } = [];

    public List<GuardPart<IBudgetStore>> BudgetStore { get; } = [];

    public List<GuardPart<IHaltStore>> HaltStore { get; } = [];

    public List<GuardPart<ISchemaCompiler>> SchemaCompiler { get; } = [];

    public List<GuardPart<IRootNormalizer>> RootNormalizer { get; } = [];

    public List<GuardPart<ITokenCounter>> TokenCounter { get; } = [];

    public List<GuardPart<IContentSanitizer>> ContentSanitizer { get; } = [];

    public List<GuardPart<IContentRedactor>> ContentRedactor { get; } = [];

    /// <summary>Asked in the order of registration; the first that knows a name wins.</summary>
    public List<GuardPart<ISecretResolver>> SecretResolvers { get; } = [];

    public List<StagePlacement> Stages { get; } = [];

    public bool DenyInsteadOfAsking { get; set; }

    /// <summary>See <see cref="Pipeline.DryRun"/>.</summary>
    public bool IsDryRun { get; set; }

    public TimeProvider? Time { get; set; }

    public TimeSpan StageDeadline { get; set; } = TimeSpan.FromSeconds(5);

    public AuditFloodOptions Flood { get; set; } = new();

    public TimeSpan AuditDeadline { get; set; } = TimeSpan.FromSeconds(5);
}
