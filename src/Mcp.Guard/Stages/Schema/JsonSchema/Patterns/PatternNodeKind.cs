namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The parts of a pattern.</summary>
internal enum PatternNodeKind
{
    Empty,
    Set,
    Sequence,
    Alternatives,
    Repeat,
    Capture,
    BackReference,
    Start,
    End,
    WordBoundary,
    NotWordBoundary,
    LookAhead,
    LookBehind,
}
