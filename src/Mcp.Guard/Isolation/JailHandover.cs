namespace Mcp.Guard.Isolation;

/// <summary>
/// What bwrap is given through descriptors instead of its command line: the environment (other users can read command lines), the
/// seccomp filter, the opened bind sources. The numbers are those the planned arguments name.
/// </summary>
internal sealed record JailHandover
{
    /// <summary>Descriptor of the pipe with further arguments, ended by zero bytes.</summary>
    public const int ArgumentsDescriptor = 3;

    /// <summary>Descriptor of the pipe with the filter, read last: the box starts nothing before it has come whole.</summary>
    public const int FilterDescriptor = 4;

    /// <summary>Descriptor bwrap writes the id of the box's first process to.</summary>
    public const int InformationDescriptor = 5;

    /// <summary>First descriptor for files made for the box, then for bind sources.</summary>
    public const int FirstFileDescriptor = 6;

    /// <summary>The arguments that set the environment inside.</summary>
    public required IReadOnlyList<string> EnvironmentArguments { get; init; }

    public required ReadOnlyMemory<byte> Filter { get; init; }

    /// <summary>Contents of made files, in the order of their descriptors from <see cref="FirstFileDescriptor"/>.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Files { get; init; }

    /// <summary>Bind sources, in the order of their descriptors after those of <see cref="Files"/>.</summary>
    public required IReadOnlyList<BindMount> Mounts { get; init; }
}
