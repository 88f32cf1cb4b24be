namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>One part of a parsed pattern.</summary>
internal sealed class PatternNode(PatternNodeKind kind)
{
    public PatternNodeKind Kind { get; } = kind;

    public CharacterSet? Set { get; init; }

    public IReadOnlyList<PatternNode> Children { get; init; } = [];

    /// <summary>Repeat: least and most; most is -1 where there is no bound.</summary>
    public int Min { get; init; }

    public int Max { get; init; }

    public bool IsLazy { get; init; }

    /// <summary>Capture and back reference: the group, from 1. Repeat: the first group inside.</summary>
    public int Group { get; init; }

    /// <summary>Repeat: the group after the last inside.</summary>
    public int GroupEnd { get; init; }

    /// <summary>Look-around: must not match.</summary>
    public bool IsNegated { get; init; }

    /// <summary>Whether it can match without consuming anything.</summary>
    public bool IsNullable => Kind switch
    {
        PatternNodeKind.Set => false,
        PatternNodeKind.Sequence => AllNullable(),
        PatternNodeKind.Alternatives => AnyNullable(),
        PatternNodeKind.Repeat => Min == 0 || Children[0].IsNullable,
        PatternNodeKind.Capture => Children[0].IsNullable,
        _ => true,
    };

    private bool AllNullable()
    {
        foreach (PatternNode child in Children)
        {
            if (!child.IsNullable)
            {
                return false;
            }
        }

        return true;
    }

    private bool AnyNullable()
    {
        foreach (PatternNode child in Children)
        {
            if (child.IsNullable)
            {
                return true;
            }
        }

        return false;
    }
}
