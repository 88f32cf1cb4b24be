namespace Mcp.Guard.Policy;

/// <summary>In what a server that the guard starts is shut in. Null limits are the isolation's own defaults.</summary>
internal sealed record IsolationSettings
{
    public required IsolationMode Mode { get; init; }

    /// <summary>Absolute folders and files it may read besides its roots.</summary>
    public IReadOnlyList<string> Readable { get; init; } = [];

    /// <summary>Absolute folders it may write.</summary>
    public IReadOnlyList<string> Writable { get; init; } = [];

    /// <summary>Default none.</summary>
    public NetworkAccess Network { get; init; }

    public RuntimePreset Preset { get; init; }

    /// <summary>Container image by digest.</summary>
    public string? Image { get; init; }

    /// <summary>Container engine: <c>docker</c> or <c>podman</c>; null is whichever is there.</summary>
    public string? Engine { get; init; }

    /// <summary>Bytes.</summary>
    public long? Memory { get; init; }

    /// <summary>Processor cores; parts of one are possible.</summary>
    public decimal? Cpus { get; init; }

    public int? Processes { get; init; }

    public int? OpenFiles { get; init; }

    /// <summary>Largest file, in bytes.</summary>
    public long? FileSize { get; init; }

    /// <summary>Size of the private temporary folder, in bytes.</summary>
    public long? Temp { get; init; }

    /// <summary>User it runs as: a name, or <c>uid:gid</c>.</summary>
    public string? User { get; init; }

    /// <summary>Absolute.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Controls without which the server is not started.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];
}
