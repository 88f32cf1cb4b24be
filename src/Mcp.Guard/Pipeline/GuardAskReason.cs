namespace Mcp.Guard.Pipeline;

/// <summary>Why one stage wants a person to be asked.</summary>
internal readonly record struct GuardAskReason(string Stage, string Code, string Reason);
