using Mcp.Guard.Cli.Servers;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Cli.Checks;

/// <summary>A server beside the policy: what would happen to each tool, and what is not as it was pinned.</summary>
internal sealed class ServerComparison
{
    private ServerComparison(ServerSettings settings, ProbedServer probed, IReadOnlyList<string> pinned, bool isFirstSight)
    {
        Settings = settings;
        IsFirstSight = isFirstSight;
        Tools = [.. probed.Tools.Select(tool => (tool, ToolOutlook.Of(settings, tool)))];
        Gone = [.. pinned.Except(probed.Tools.Select(static tool => tool.Definition.Name), StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        Reviews = probed.Reviews;
        Idle = [.. IdleRules(settings, probed)];
    }

    public ServerSettings Settings { get; }

    /// <summary>True where nothing was pinned before, in the policy or in the state directory.</summary>
    public bool IsFirstSight { get; }

    public IReadOnlyList<(ToolEntry Tool, ToolOutlook Outlook)> Tools { get; }

    /// <summary>Pinned tools that the server no longer lists.</summary>
    public IReadOnlyList<string> Gone { get; }

    /// <summary>New and changed tools, and changed instructions, field by field.</summary>
    public IReadOnlyList<ToolReview> Reviews { get; }

    /// <summary>Rules about tools that match no tool of the server.</summary>
    public IReadOnlyList<string> Idle { get; }

    /// <summary>True where something is not as it was pinned.</summary>
    public bool IsChanged => Reviews.Count > 0 || Tools.Any(static tool => tool.Tool.Pin != ToolPinState.Pinned);

    /// <summary>Starts the server and compares.</summary>
    public static async Task<ServerComparison> RunAsync(PolicySnapshot policy, string serverId, TimeSpan timeout, CancellationToken ct)
    {
        if (!policy.Servers.TryGetValue(serverId, out ServerSettings? settings))
        {
            throw ServerProbe.Unknown(policy, serverId);
        }

        using var file = new FilePinStore(Path.Combine(policy.StateDirectory, "pins.json"), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        PinnedCatalog stored = settings.Pins.Count > 0 ? new PinnedCatalog() : await file.ReadAsync(settings.Identity, ct).ConfigureAwait(false);
        bool isFirstSight = settings.Pins.Count == 0 && (stored.Status == PinnedCatalogStatus.FirstSight || (stored.Status == PinnedCatalogStatus.Known && !stored.ToolsSeen));
        IEnumerable<string> pinned = settings.Pins.Count > 0 ? settings.Pins.Keys : stored.Tools.Keys;
        ProbedServer probed = await ServerProbe.RunAsync(policy, serverId, file, null, timeout, ct).ConfigureAwait(false);
        return new ServerComparison(settings, probed, [.. pinned.Where(static name => !name.StartsWith('#'))], isFirstSight);
    }

    private static IEnumerable<string> IdleRules(ServerSettings settings, ProbedServer probed) =>
        settings.Rules
            .Where(static rule => rule.Tools.Count > 0 && rule.Resources.Count == 0 && rule.Prompts.Count == 0)
            .Where(rule => !probed.Tools.Any(tool => rule.Tools.Any(pattern => pattern.IsMatch(tool.Definition.Name))))
            .Select(static rule => rule.Id);
}
