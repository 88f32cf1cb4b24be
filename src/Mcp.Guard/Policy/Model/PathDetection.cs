namespace Mcp.Guard.Policy;

/// <summary>Which arguments count as paths besides those that a rule names. A larger value is stricter.</summary>
internal enum PathDetection
{
    /// <summary>None.</summary>
    Declared = 0,

    /// <summary>Those that the tool's schema or the look of the value says.</summary>
    Auto = 1,
}
