namespace Mcp.Guard;

/// <summary>A stop that is in force.</summary>
/// <param name="Scope">What it covers.</param>
/// <param name="Reason">Why, for the audit and for people.</param>
/// <param name="Since">When it was set.</param>
public sealed record Halt(HaltScope Scope, string Reason, DateTimeOffset Since);
