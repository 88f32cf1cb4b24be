namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>How reading a JSON text ended. Only <see cref="None"/> leaves a tape that may be used.</summary>
internal enum JsonTextFault
{
    /// <summary>Nothing was read.</summary>
    Unread = 0,

    /// <summary>The text is acceptable JSON.</summary>
    None,

    /// <summary>Not JSON (RFC 8259), or it ends early, or something follows it.</summary>
    Syntax,

    /// <summary>Not UTF-8: overlong forms, encoded surrogates, stray bytes, another encoding.</summary>
    Encoding,

    /// <summary>An escaped surrogate without its other half: readers disagree on what it is.</summary>
    LoneSurrogate,

    /// <summary>An object names a member twice, also through escapes: readers disagree on which one counts.</summary>
    DuplicateName,

    /// <summary>More bytes than the limit.</summary>
    TooLarge,

    /// <summary>Nested deeper than the limit.</summary>
    TooDeep,

    /// <summary>More tokens than the limit.</summary>
    TooManyTokens,

    /// <summary>A number with more digits or a larger exponent than the limit.</summary>
    NumberTooLong,
}
