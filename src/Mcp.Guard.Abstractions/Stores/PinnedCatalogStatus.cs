namespace Mcp.Guard;

/// <summary>What a pin store knows of a server.</summary>
public enum PinnedCatalogStatus
{
    /// <summary>The pins are lost, damaged or out of reach: no tool of the server counts as pinned, and a first sight is not trusted.</summary>
    Unavailable = 0,

    /// <summary>The store is sound and has never seen the server: what it lists now is pinned.</summary>
    FirstSight = 1,

    /// <summary>The pins are known.</summary>
    Known = 2,
}
