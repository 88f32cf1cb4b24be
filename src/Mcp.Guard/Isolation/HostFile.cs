namespace Mcp.Guard.Isolation;

/// <summary>A file or folder of the host.</summary>
/// <param name="Path">Every link resolved.</param>
/// <param name="Kind">What is there.</param>
/// <param name="Owner">Who owns it; null where the system does not tell.</param>
/// <param name="Mode">Its permission bits; null where the system has none.</param>
/// <param name="LinkFolders">The resolved folders in which a link was followed on the way.</param>
internal sealed record HostFile(string Path, HostFileKind Kind, JailUser? Owner, UnixFileMode? Mode, IReadOnlyList<string> LinkFolders)
{
    /// <summary>Whether a user other than root may change what is in this folder, by owner, group and permission bits; true where they are not known.</summary>
    public bool IsWritableBy(JailUser user) => Allows(user, UnixFileMode.UserWrite, UnixFileMode.GroupWrite, UnixFileMode.OtherWrite);

    /// <summary>The same for reading.</summary>
    public bool IsReadableBy(JailUser user) => Allows(user, UnixFileMode.UserRead, UnixFileMode.GroupRead, UnixFileMode.OtherRead);

    /// <summary>The same for going through this folder.</summary>
    public bool IsSearchableBy(JailUser user) => Allows(user, UnixFileMode.UserExecute, UnixFileMode.GroupExecute, UnixFileMode.OtherExecute);

    private bool Allows(JailUser user, UnixFileMode own, UnixFileMode group, UnixFileMode other)
    {
        if (Owner is not { } owner || Mode is not { } mode)
        {
            return true;
        }

        UnixFileMode needed = owner.User == user.User ? own : owner.Group == user.Group ? group : other;
        return (mode & needed) != 0;
    }
}
