namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>One instruction of a compiled pattern.</summary>
internal readonly record struct PatternInstruction(PatternOp Op, int X = 0, int Y = 0, CharacterSet? Set = null);
