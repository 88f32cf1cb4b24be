namespace Mcp.Guard.Json;

/// <summary>The kinds of value on a <see cref="JsonTape"/>.</summary>
internal enum JsonTapeKind : byte
{
    /// <summary><c>true</c>, <c>false</c> or <c>null</c>.</summary>
    Literal,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A string without escapes: its bytes are its value.</summary>
    PlainString,

    /// <summary>A string with escapes.</summary>
    EscapedString,

    /// <summary>An array.</summary>
    Array,

    /// <summary>An object.</summary>
    Object,
}
