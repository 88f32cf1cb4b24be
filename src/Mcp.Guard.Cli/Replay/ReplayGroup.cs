namespace Mcp.Guard.Cli.Replay;

/// <summary>Calls whose fate changes in the same way.</summary>
/// <param name="Change">How.</param>
/// <param name="Server">The server.</param>
/// <param name="What">The tool, prompt or resource, or the method where it has none.</param>
/// <param name="Was">What became of them.</param>
/// <param name="Now">What the draft makes of them.</param>
/// <param name="Why">The rule, code or missing knowledge that decides.</param>
internal readonly record struct ReplayGroup(ReplayChange Change, string Server, string What, string Was, string Now, string Why);
