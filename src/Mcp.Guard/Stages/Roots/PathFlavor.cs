namespace Mcp.Guard.Stages.Roots;

/// <summary>Whose rules a path follows.</summary>
internal enum PathFlavor
{
    /// <summary>One separator, no drives, names as bytes.</summary>
    Unix = 0,

    /// <summary>Win32: drives, shares, two separators, reserved names, case ignored.</summary>
    Windows = 1,
}
