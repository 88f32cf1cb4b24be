namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>A JSON value after sanitising.</summary>
internal readonly struct SanitizedJson(ReadOnlyMemory<byte>? utf8, ContentFlags flags)
{
    /// <summary>The new value as UTF-8, or null where the value that went in is clean as it stands.</summary>
    public ReadOnlyMemory<byte>? Utf8 { get; } = utf8;

    /// <summary>Everything found in any of its strings and names.</summary>
    public ContentFlags Flags { get; } = flags;
}
