namespace Mcp.Guard.Stages.Redaction;

/// <summary>What the value of a sensitive name looks like.</summary>
internal enum SensitiveNameKind
{
    /// <summary>The name is not sensitive.</summary>
    None = 0,

    /// <summary>The value is a secret as a whole.</summary>
    Secret,

    /// <summary>Name and value pairs, of which only the values are secret.</summary>
    Cookie,

    /// <summary>A scheme and its credentials.</summary>
    Authorization,

    /// <summary>A secret only where it is a number of 4 or more digits: the word also means a connector and a thing held in place.</summary>
    Pin,
}
