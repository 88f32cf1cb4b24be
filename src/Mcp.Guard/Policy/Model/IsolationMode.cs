namespace Mcp.Guard.Policy;

/// <summary>In what a server process runs.</summary>
internal enum IsolationMode
{
    /// <summary>Nothing around it.</summary>
    None = 0,

    /// <summary>bubblewrap (Linux).</summary>
    Bubblewrap = 1,

    /// <summary>A container engine.</summary>
    Container = 2,
}
