namespace Mcp.Guard.Isolation;

/// <summary>The kind of box a server process runs in. Nothing said is not a mode: such a server is not started.</summary>
internal enum IsolationMode
{
    /// <summary>Not said: refused.</summary>
    Unset = 0,

    /// <summary>Linux namespaces, a seccomp filter and limits, made by the program bwrap.</summary>
    Bubblewrap,

    /// <summary>A container of docker or podman.</summary>
    Container,

    /// <summary>No box, spelled out by the policy.</summary>
    None,
}
