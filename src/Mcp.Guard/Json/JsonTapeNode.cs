namespace Mcp.Guard.Json;

/// <summary>One value of a <see cref="JsonTape"/>: where it lies in the text, and how to step over it.</summary>
internal struct JsonTapeNode
{
    /// <summary>What the value is.</summary>
    public JsonTapeKind Kind;

    /// <summary>Whether the bytes of <see cref="NameStart"/> lie in the tape's scratch (the name had escapes) instead of the text.</summary>
    public bool NameUnescaped;

    /// <summary>First byte of the value in the text; for a string, the first byte after its quote.</summary>
    public int Start;

    /// <summary>Length of a scalar in bytes, without quotes; for a container, the number of its direct children.</summary>
    public int Length;

    /// <summary>First byte of the member's name, escapes undone; only for members of an object.</summary>
    public int NameStart;

    /// <summary>Length of the member's name in bytes.</summary>
    public int NameLength;

    /// <summary>Index of the node after this value and all its children.</summary>
    public int Next;

    /// <summary>For an object: where the indices of its members, in order of their names, start in the tape's order list.</summary>
    public int OrderStart;
}
