namespace Mcp.Guard.Stages.Roots;

/// <summary>Reads links through the class library; on Windows that covers symbolic links, junctions and mount points.</summary>
internal sealed class ManagedLinkReader : LinkReader
{
    public override LinkStatus Read(string path, out string? target)
    {
        target = null;
        try
        {
            var file = new FileInfo(path);
            FileAttributes attributes = file.Attributes;
            if (attributes == (FileAttributes)(-1))
            {
                return LinkStatus.Missing;
            }

            if ((attributes & FileAttributes.ReparsePoint) == 0)
            {
                return LinkStatus.NotALink;
            }

            target = file.LinkTarget;

            // Reparse points without a target are cloud placeholders and the like: the file itself.
            return target is null ? LinkStatus.NotALink : LinkStatus.Link;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return LinkStatus.Missing;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return LinkStatus.Unreadable;
        }
    }
}
