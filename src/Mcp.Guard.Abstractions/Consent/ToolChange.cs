namespace Mcp.Guard;

/// <summary>One difference between the definition of a tool that was approved and the one that its server lists now, made safe to show.</summary>
/// <param name="Location">Where, as a JSON Pointer (RFC 6901) for display; empty for the whole definition.</param>
/// <param name="Before">What stood there, for display: quoted, controls and invisible characters escaped; null where nothing did.</param>
/// <param name="After">What stands there now, for display; null where nothing does.</param>
public sealed record ToolChange(string Location, string? Before, string? After)
{
    /// <summary>One line for a person, old and new side by side.</summary>
    public override string ToString() => (Before, After) switch
    {
        (null, not null) => $"added {Location}: {After}",
        (not null, null) => $"removed {Location}: {Before}",
        _ => $"changed {Location}: was {Before} | is {After}",
    };
}
