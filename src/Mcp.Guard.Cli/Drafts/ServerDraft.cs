using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>One server on its way into a policy: how it is reached, what it is given, and what is to be said about it.</summary>
internal sealed record ServerDraft
{
    /// <summary>The id it gets in the policy.</summary>
    public required string Id { get; init; }

    /// <summary>The program; null for a package or a URL.</summary>
    public string? Command { get; init; }

    public PackageKind? Registry { get; init; }

    /// <summary>The package's name; null for a command or a URL.</summary>
    public string? Package { get; init; }

    /// <summary>An exact version, or what was asked for (a tag, a range, nothing) until it is resolved.</summary>
    public string? Version { get; init; }

    public string? Executable { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public string? Url { get; init; }

    /// <summary>Whether the URL is one of the older transport (HTTP with SSE).</summary>
    public bool IsSse { get; init; }

    public IReadOnlyDictionary<string, DraftValue> Environment { get; init; } = new Dictionary<string, DraftValue>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, DraftValue> Headers { get; init; } = new Dictionary<string, DraftValue>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Folders that calls may reach, absolute.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [];

    /// <summary>Files and folders that the box shows besides the roots, absolute.</summary>
    public IReadOnlyList<string> Readable { get; init; } = [];

    /// <summary>False only where the user said <c>--unisolated</c>.</summary>
    public bool IsIsolated { get; init; } = true;

    /// <summary>What was changed on the way, for the table of decisions.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public bool IsProcess => Url is null;

    public ServerDraft WithNote(string note) => this with { Notes = [.. Notes, note] };

    /// <summary>Values of secrets by name, for starting the server once.</summary>
    public IReadOnlyDictionary<string, string> KnownSecrets() =>
        Environment.Values.Concat(Headers.Values)
            .Where(static value => value is { Secret: not null, Known: not null })
            .GroupBy(static value => value.Secret!, StringComparer.Ordinal)
            .ToDictionary(static group => group.Key, static group => group.First().Known!, StringComparer.Ordinal);
}
