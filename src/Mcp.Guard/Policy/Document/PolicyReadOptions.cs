namespace Mcp.Guard.Policy;

/// <summary>What a host knows that a policy document does not say.</summary>
internal sealed record PolicyReadOptions
{
    public static PolicyReadOptions Default { get; } = new();

    /// <summary>Absolute folder where relative paths of a policy without a file start; null: such paths are errors.</summary>
    public string? BaseDirectory { get; init; }

    /// <summary>Absolute state folder where the document names none; null is the user's own (<see cref="GuardStateDirectory.Default"/>).</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Further files and folders of the guard that no server may reach: keys, sinks and stores that the host configured in code.</summary>
    public IReadOnlyList<ProtectedPath> AlsoProtected { get; init; } = [];

    /// <summary>
    /// Says what is wrong with a URL pattern (null: nothing), beyond the shape that the reader checks itself. The admission of servers gives its own
    /// parser here, so that there is one grammar.
    /// </summary>
    public Func<string, string?>? UrlPatternFault { get; init; }
}
