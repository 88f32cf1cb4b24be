using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>One policy, read, checked and compiled. It never changes; a reload makes another one.</summary>
internal sealed class PolicySnapshot
{
    /// <summary>SHA-256 over the canonical form of the effective policy, lower-case hexadecimal: the same for the same meaning.</summary>
    public required string Revision { get; init; }

    public required PolicyDefaults Defaults { get; init; }

    public required AuditSettings Audit { get; init; }

    public required FrozenDictionary<string, ServerSettings> ServersById { get; init; }

    /// <summary>By id, ordinal.</summary>
    public IReadOnlyDictionary<string, ServerSettings> Servers => ServersById;

    /// <summary>The policy file; null for a policy built in code.</summary>
    public string? SourcePath { get; init; }

    /// <summary>Where the guard keeps pins, grants, checkpoints, keys and, by default, the audit. Absolute.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>A folder of the guard's own that stands for a server's unknown working directory: it lies outside every root.</summary>
    public string UnknownWorkingDirectory => field ??= Path.Combine(StateDirectory, "unknown-working-directory");

    /// <summary>Where installed server packages lie. Absolute.</summary>
    public required string PackageStore { get; init; }

    /// <summary>Where the audit goes. Absolute.</summary>
    public required string AuditDirectory { get; init; }

    /// <summary>The guard's own files, which no server may reach.</summary>
    public required ProtectedPaths Protected { get; init; }

    /// <summary>True where some configured server can lead to a consent prompt.</summary>
    public bool CanAsk { get; init; }

    /// <summary>What is permitted but worth a look, each with its place and what would mend it.</summary>
    public IReadOnlyList<GuardPolicyError> Advice { get; init; } = [];

    /// <summary>The same, one line each.</summary>
    public IReadOnlyList<string> Warnings => [.. Advice.Select(static advice => advice.ToString())];

    /// <summary>The same policy under another revision.</summary>
    public PolicySnapshot WithRevision(string revision) => new()
    {
        Revision = revision,
        Defaults = Defaults,
        Audit = Audit,
        ServersById = ServersById,
        SourcePath = SourcePath,
        StateDirectory = StateDirectory,
        PackageStore = PackageStore,
        AuditDirectory = AuditDirectory,
        Protected = Protected,
        CanAsk = CanAsk,
        Advice = Advice,
    };
}
