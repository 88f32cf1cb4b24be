namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>One difference between two definitions of a tool, made safe to show.</summary>
/// <param name="Location">Where, as a JSON Pointer (RFC 6901); empty for the whole definition.</param>
/// <param name="Before">What stood there, for display; null where nothing did.</param>
/// <param name="After">What stands there now, for display; null where nothing does.</param>
internal sealed record ToolChange(string Location, string? Before, string? After)
{
    /// <summary>One line for a person.</summary>
    public override string ToString() => (Before, After) switch
    {
        (null, not null) => $"added {Location}: {After}",
        (not null, null) => $"removed {Location}: {Before}",
        _ => $"changed {Location}: was {Before} | is {After}",
    };
}
