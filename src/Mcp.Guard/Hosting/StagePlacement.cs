namespace Mcp.Guard.Hosting;

/// <summary>A stage of the host and where it goes: before or after a named stage, or at the end of its list (before Consent for requests).</summary>
internal sealed record StagePlacement(GuardPart<IGuardStage> Part, string? Before, string? After);
