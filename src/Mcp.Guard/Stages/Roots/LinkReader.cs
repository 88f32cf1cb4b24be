namespace Mcp.Guard.Stages.Roots;

/// <summary>Asks the file system about links. One question is about one path at one moment; nothing is remembered.</summary>
internal abstract class LinkReader
{
    /// <summary>The reader for the system this process runs on.</summary>
    public static LinkReader ForThisSystem { get; } = OperatingSystem.IsWindows() ? new ManagedLinkReader() : new UnixLinkReader();

    /// <summary>What lies at a path whose folders have been resolved already, and where a link leads, as written in it.</summary>
    public abstract LinkStatus Read(string path, out string? target);

    /// <summary>
    /// True where one look is enough: no existing part of the normalised path is a link. False says nothing; the path is then resolved step
    /// by step.
    /// </summary>
    public virtual bool IsFreeOfLinks(ReadOnlySpan<char> path) => false;
}
