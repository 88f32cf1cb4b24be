namespace Mcp.Guard.Policy;

/// <summary>What happens to images and links of other hosts in a result. A larger value is stricter.</summary>
internal enum RemoteReferences
{
    /// <summary>They stay.</summary>
    Keep = 0,

    /// <summary>They are made unclickable, their host visible.</summary>
    Defang = 1,

    /// <summary>They are removed.</summary>
    Remove = 2,
}
