namespace Mcp.Guard;

/// <summary>What a sanitiser found in a text.</summary>
[Flags]
public enum ContentFindings
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>hidden-unicode</c>: invisible characters.</summary>
    HiddenUnicode = 1,

    /// <summary><c>bidi</c>: controls that reorder text.</summary>
    Bidi = 2,

    /// <summary><c>control</c>: control characters.</summary>
    Control = 4,

    /// <summary><c>terminal</c>: terminal sequences.</summary>
    Terminal = 8,

    /// <summary><c>bad-name</c>: a name with characters that names may not have.</summary>
    BadName = 16,

    /// <summary><c>name-collision</c>: a twin of another name, or an imitation of the host's own.</summary>
    NameCollision = 32,

    /// <summary><c>remote-resource</c>: something that loads from, or sends to, another host.</summary>
    RemoteResource = 64,

    /// <summary><c>active-content</c>: scripts, handlers, deceiving links.</summary>
    ActiveContent = 128,

    /// <summary><c>hidden-markup</c>: markup that a person does not see.</summary>
    HiddenMarkup = 256,

    /// <summary><c>role-marker</c>: imitates the markers of a chat format.</summary>
    RoleMarker = 512,

    /// <summary><c>instruction-like</c>: reads like an instruction to a model. A heuristic.</summary>
    InstructionLike = 1024,
}
