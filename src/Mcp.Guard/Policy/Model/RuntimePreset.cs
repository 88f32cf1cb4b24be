namespace Mcp.Guard.Policy;

/// <summary>What an isolated interpreter needs to see.</summary>
internal enum RuntimePreset
{
    /// <summary>Chosen by the command.</summary>
    Auto = 0,

    /// <summary>Nothing is added.</summary>
    None = 1,

    /// <summary>The .NET runtime.</summary>
    Dotnet = 2,

    /// <summary>Node.js.</summary>
    Node = 3,

    /// <summary>Python.</summary>
    Python = 4,
}
