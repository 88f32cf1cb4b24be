namespace Mcp.Guard.Stages.Roots;

/// <summary>What a Windows path starts with. (Microsoft: File path formats on Windows systems.)</summary>
internal enum WindowsPrefix
{
    /// <summary>Starts in the middle: joined to the base.</summary>
    Relative = 0,

    /// <summary><c>X:\</c></summary>
    Drive,

    /// <summary><c>\\host\share</c></summary>
    Share,

    /// <summary><c>\x</c> or <c>X:x</c>: depends on what the process has as its current drive and directory.</summary>
    Dependent,

    /// <summary><c>\\?\</c>, <c>\\.\</c>, <c>\??\</c>: not normalised by Win32.</summary>
    Device,

    /// <summary>Two separators without a host and a share.</summary>
    BrokenShare,
}
