namespace Mcp.Guard.Cli.Drafts;

/// <summary>What a tool seems to be, by the words of its server and its name. Its order is that of the rules in a written policy.</summary>
internal enum ToolKind
{
    /// <summary>Its definition hides or smuggles something, or cannot be used.</summary>
    Flagged = 0,

    /// <summary>Its name says that it runs programs, destroys, pays, sends or the like.</summary>
    DangerousName,

    /// <summary>The server says nothing of it.</summary>
    Unknown,

    /// <summary>It can destroy or overwrite, or does not say that it does not.</summary>
    Destructive,

    /// <summary>It reaches systems beyond its server.</summary>
    OpenWorld,

    /// <summary>It changes something, and says that it destroys nothing.</summary>
    Writing,

    /// <summary>It says that it only reads.</summary>
    ReadOnly,
}
