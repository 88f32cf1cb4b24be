namespace Mcp.Guard;

/// <summary>How a text names a file.</summary>
public enum RootInputKind
{
    /// <summary>A path, taken literally: nothing is decoded, expanded or trimmed.</summary>
    Path = 0,

    /// <summary>A <c>file:</c> URI (RFC 8089), decoded once.</summary>
    FileUri = 1,
}
