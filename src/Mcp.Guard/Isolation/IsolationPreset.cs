namespace Mcp.Guard.Isolation;

/// <summary>Which interpreter's needs the box provides for.</summary>
internal enum IsolationPreset
{
    /// <summary>Told by the name of the executable.</summary>
    Automatic = 0,

    /// <summary>A program that needs nothing but the system's libraries.</summary>
    Native,

    Node,
    Dotnet,
    Python,
}
