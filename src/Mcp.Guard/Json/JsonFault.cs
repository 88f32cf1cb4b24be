namespace Mcp.Guard.Json;

/// <summary>Why a JSON text is not admitted. The default value is a refusal too: a text nobody judged is not admitted.</summary>
internal enum JsonFault
{
    /// <summary>The text was not judged.</summary>
    NotJudged = 0,

    /// <summary>The text is admitted.</summary>
    None,

    /// <summary>More bytes or more values than the limits allow.</summary>
    TooLarge,

    /// <summary>Not valid UTF-8.</summary>
    NotUtf8,

    /// <summary>Not JSON as RFC 8259 defines it: also a byte order mark, a comment, a trailing comma, NaN, or anything after the value.</summary>
    Malformed,

    /// <summary>Nested deeper than the limit.</summary>
    TooDeep,

    /// <summary>An object holds one name twice, escapes undone (RFC 8259 section 4: parsers disagree on which of the two counts).</summary>
    DuplicateName,

    /// <summary>An escaped surrogate without its partner (RFC 8259 section 8.2: parsers disagree on what it becomes).</summary>
    LoneSurrogate,
}
