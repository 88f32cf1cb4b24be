namespace Mcp.Guard.Stages.Roots;

/// <summary>How the guard finds the arguments that are paths.</summary>
internal enum PathArgumentMode
{
    /// <summary>Those a rule declares, those whose names or schema say so, and those that look like paths.</summary>
    Auto = 0,

    /// <summary>Only those that a rule declares.</summary>
    Declared = 1,
}
