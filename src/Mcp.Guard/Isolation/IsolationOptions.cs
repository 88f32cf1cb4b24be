namespace Mcp.Guard.Isolation;

/// <summary>Everything that decides how one server is boxed and started. The policy document is mapped to it; secrets are resolved before.</summary>
internal sealed record IsolationOptions
{
    /// <summary>The host's configured id of the server.</summary>
    public required string Server { get; init; }

    /// <summary>Distinguishes the starts of one server (container name, clean-up). Letters, digits and hyphens.</summary>
    public required string InstanceId { get; init; }

    public IsolationMode Mode { get; init; }

    /// <summary>Absolute path of the program on the host, or in the image in container mode. It is never looked up.</summary>
    public required string Executable { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IsolationPreset Preset { get; init; }

    /// <summary>Files and folders the server may read, absolute.</summary>
    public IReadOnlyList<string> Readable { get; init; } = [];

    /// <summary>The server's package in the guard's store, absolute: shown read-only although it lies among the guard's own files. Null: none.</summary>
    public string? Package { get; init; }

    /// <summary>Folders the server may change, absolute.</summary>
    public IReadOnlyList<string> Writable { get; init; } = [];

    /// <summary>What any server of the policy may write, by its isolation or its roots (<c>LaunchAdmission.WritableBy</c>): a link that lies in one of them is never followed to a bind source.</summary>
    public IReadOnlyList<string> WritableByAnyServer { get; init; } = [];

    /// <summary>The guard's own files and folders: policy, audit, pins, grants, checkpoints, keys, absolute. No server reaches them.</summary>
    public IReadOnlyList<string> GuardPaths { get; init; } = [];

    public IsolationNetwork Network { get; init; }

    public IReadOnlyList<IsolationVariable> Environment { get; init; } = [];

    /// <summary>Bytes. Null: no limit.</summary>
    public long? Memory { get; init; }

    /// <summary>Processors' worth of time. Null: no limit.</summary>
    public double? Cpus { get; init; }

    /// <summary>Processes and threads together.</summary>
    public int? Processes { get; init; } = 256;

    public int? OpenFiles { get; init; } = 1024;

    /// <summary>Largest file the server may write, in bytes.</summary>
    public long? FileSize { get; init; } = 1L << 30;

    /// <summary>User on the host that the server runs as, <c>uid</c> or <c>uid:gid</c>. Null: the host's own, or 65534 where that is root.</summary>
    public string? User { get; init; }

    /// <summary>Folder the server starts in. Null: an empty one of the guard's that it cannot write (in a container its private temporary folder).</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Size of the private temporary folder in bytes.</summary>
    public long Temp { get; init; } = 64L << 20;

    /// <summary>Names of <see cref="IsolationControls"/> without which the server is not started.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Container mode: the image by digest (<c>name@sha256:...</c>).</summary>
    public string? Image { get; init; }

    /// <summary>Container mode: <c>docker</c> or <c>podman</c>. Null: docker, or podman where there is no docker.</summary>
    public string? Engine { get; init; }
}
