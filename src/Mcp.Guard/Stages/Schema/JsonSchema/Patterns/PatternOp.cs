namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The instructions of a compiled pattern.</summary>
internal enum PatternOp : byte
{
    /// <summary>The pattern, or the part looked around for, matches.</summary>
    Match = 0,

    /// <summary>Consume one code point of a set.</summary>
    Set,

    /// <summary>The same towards the beginning, inside a look-behind.</summary>
    SetBack,

    /// <summary>Go on at both places, the first preferred.</summary>
    Split,
    Jump,
    Start,
    End,
    WordBoundary,
    NotWordBoundary,

    /// <summary>Keep the position in a register.</summary>
    Save,

    /// <summary>Fail where nothing was consumed since the position in a register.</summary>
    Progress,

    /// <summary>Forget the captures between two registers.</summary>
    Forget,
    BackReference,
    BackReferenceBack,

    /// <summary>Look around with the instructions that follow, up to their <see cref="Match"/>; then go on at X. Y is 1 where it must not match.</summary>
    Look,
}
