using System.Security.Cryptography;
using System.Text;
using Mcp.Guard.Audit;
using Mcp.Guard.Policy;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Hosting;

/// <summary>The audit of one guard: the flood gate, behind it the fan-out, behind that the files or the host's sink, and whatever else the host added.</summary>
/// <param name="Gate">Where records go in.</param>
/// <param name="FanOut">The sinks behind the gate.</param>
/// <param name="Files">The embedded log; null where the host keeps the records elsewhere.</param>
internal sealed record AuditSinks(AuditFloodGate Gate, FanOutAuditSink FanOut, AuditFileSink? Files)
{
    private const string FilesName = "files";
    private const string HostName = "host";

    /// <exception cref="McpGuardConfigurationException">Parts contradict each other, or a value cannot be used.</exception>
    public static AuditSinks Create(
        IServiceProvider services, GuardParts parts, PolicySnapshot policy, SecretResolution secrets, TimeProvider time, ILogger logger, List<IAsyncDisposable> owned)
    {
        GuardPart<IAuditSink>? own = GuardFactory.One(parts.Audit, nameof(McpGuardBuilder.UseAudit));
        if (own is not null && parts.AuditFiles.Count > 0)
        {
            throw new McpGuardConfigurationException("Both UseAudit(...) and UseAuditFiles(...) were called. Keep one; AddAuditSink(...) adds a further sink to either.");
        }

        AuditFileSink? files = own is null ? FilesOf(parts, policy, secrets, time, logger) : null;
        if (files is not null)
        {
            owned.Add(files);
        }

        var entries = new List<AuditFanOutEntry> { files is not null ? new(FilesName, files, IsRequired: true) : new(HostName, own!.Create(services), IsRequired: true) };
        foreach (AuditSinkPlacement sink in parts.AuditSinks)
        {
            if (entries.Exists(entry => string.Equals(entry.Name, sink.Name, StringComparison.Ordinal)))
            {
                throw new McpGuardConfigurationException($"Two audit sinks are called '{sink.Name}'. Give AddAuditSink(...) a name of its own for each.");
            }

            entries.Add(new(sink.Name, sink.Part.Create(services), sink.IsRequired));
        }

        var fanOut = new FanOutAuditSink(entries, bestEffort: false, parts.AuditDeadline, time);
        owned.Add(fanOut);
        var gate = new AuditFloodGate(fanOut, parts.Flood, time);
        owned.Add(gate);
        return new(gate, fanOut, files);
    }

    private static AuditFileSink FilesOf(GuardParts parts, PolicySnapshot policy, SecretResolution secrets, TimeProvider time, ILogger logger)
    {
        var options = new AuditFileOptions
        {
            Directory = policy.AuditDirectory,
            RetentionDays = policy.Audit.RetentionDays,
            Durability = policy.Audit.Durability switch
            {
                Policy.AuditDurability.Durable => AuditDurability.Durable,
                Policy.AuditDurability.BestEffort => AuditDurability.BestEffort,
                _ => AuditDurability.Flushed,
            },
            CheckpointPath = CheckpointOf(policy),
        };
        if (parts.AuditFiles.Count > 1)
        {
            throw new McpGuardConfigurationException("UseAuditFiles(...) was called more than once. Call it once: which of them decides must not depend on the order.");
        }

        if (parts.AuditFiles is [{ } configure])
        {
            (string directory, string? checkpoint) = (options.Directory, options.CheckpointPath);
            configure(options);
            if (!string.Equals(options.Directory, directory, StringComparison.Ordinal))
            {
                throw new McpGuardConfigurationException(
                    "UseAuditFiles(...) names another folder than the policy. Name it there (audit.directory): roots and isolation protect what the policy names.");
            }

            if (options.CheckpointPath is not null && !string.Equals(options.CheckpointPath, checkpoint, StringComparison.Ordinal))
            {
                throw new McpGuardConfigurationException(
                    "UseAuditFiles(...) names another checkpoint file than the policy. Name it there (audit.checkpoints): roots and isolation protect what the policy names.");
            }

            foreach (string warning in options.Warnings())
            {
                HostingLog.PolicyWarning(logger, warning);
            }
        }

        if (policy.Audit.KeySecret is { } secret)
        {
            if (!options.ChainKey.IsEmpty)
            {
                throw new McpGuardConfigurationException("The policy (audit.key) and UseAuditFiles(...) both give the key of the audit's chain. Keep one.");
            }

            options.ResolveKey = ct => ResolveAsync(secrets, secret, ct);
        }

        try
        {
            return new AuditFileSink(options, time);
        }
        catch (ArgumentException fault)
        {
            throw new McpGuardConfigurationException("The audit files cannot be kept like this: " + fault.Message, fault);
        }
    }

    /// <summary>Without the key the log is not opened: a chain that anybody can make again must not take the place of one that nobody can.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>> ResolveAsync(SecretResolution secrets, string name, CancellationToken ct)
    {
        string secret = await secrets.ResolveAsync(name, ct).ConfigureAwait(false)
            ?? throw new McpGuardConfigurationException($"The secret '{name}' of audit.key does not exist; give it to the host's resolver or environment, as base64 of 32 bytes or more.");
        try
        {
            return AuditKey.FromSecret(secret);
        }
        catch (FormatException fault)
        {
            throw new McpGuardConfigurationException($"The secret '{name}' of audit.key cannot be used. {fault.Message}");
        }
    }

    /// <summary>
    /// The policy's file, or one in the state folder, named after the audit folder because several hosts may share the state folder. Where the host's state
    /// folder lies in the audit folder there is none: who changes the log would change it too.
    /// </summary>
    private static string? CheckpointOf(PolicySnapshot policy)
    {
        if (policy.Audit.CheckpointFile is { } file)
        {
            return file;
        }

        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(policy.AuditDirectory)).AsSpan(0, 8));
        string path = Path.Combine(policy.StateDirectory, $"audit-{name}.checkpoint");
        return path.StartsWith(Path.TrimEndingDirectorySeparator(policy.AuditDirectory) + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? null : path;
    }
}
