namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What the sanitiser found in a text. A flag is a finding, never a verdict: policy decides what it leads to.</summary>
[Flags]
internal enum ContentFlags
{
    None = 0,

    /// <summary>Characters that nobody sees: tags, invisible and default-ignorable characters, stray selectors, noncharacters, lone surrogates.</summary>
    HiddenUnicode = 1 << 0,

    /// <summary>Bidirectional controls, which show text in another order than it is read (CVE-2021-42574).</summary>
    Bidi = 1 << 1,

    /// <summary>Control characters, or line separators that were made line feeds.</summary>
    Control = 1 << 2,

    /// <summary>Terminal sequences (ECMA-48) or a carriage return that overwrites its line.</summary>
    Terminal = 1 << 3,

    /// <summary>A name outside MCP's characters or length.</summary>
    BadName = 1 << 4,

    /// <summary>A name that reads like another one on this host, or like the host's own.</summary>
    NameCollision = 1 << 5,

    /// <summary>An image or element that loads from, or submits to, another host.</summary>
    RemoteResource = 1 << 6,

    /// <summary>Script, handlers, a template in a link, or a link whose text names another host than it opens.</summary>
    ActiveContent = 1 << 7,

    /// <summary>Text that a renderer hides from the person but not from the model.</summary>
    HiddenMarkup = 1 << 8,

    /// <summary>Imitated chat roles, tool calls or wrappers. Heuristic.</summary>
    RoleMarker = 1 << 9,

    /// <summary>Wording that instructs the model. Heuristic.</summary>
    InstructionLike = 1 << 10,
}
