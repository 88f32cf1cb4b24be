namespace Mcp.Guard.Stages.Catalog;

/// <summary>What is wrong with a tool's name. The default value refuses: a name nobody judged is not used.</summary>
internal enum ToolNameFault
{
    /// <summary>The name was not judged.</summary>
    NotJudged = 0,

    /// <summary>The name may be used.</summary>
    None,

    /// <summary>No characters, or more than 128 (MCP, tools, "Tool names").</summary>
    Length,

    /// <summary>A character other than A-Z, a-z, 0-9, underscore, hyphen and dot; or no letter and no digit; or two dots in a row.</summary>
    Characters,

    /// <summary>Imitates the guard's own names.</summary>
    Reserved,

    /// <summary>The server lists the exact name twice, so nobody knows which of the two is called.</summary>
    Duplicate,

    /// <summary>Differs from another tool of the server only by case, separators or look.</summary>
    Twin,
}
