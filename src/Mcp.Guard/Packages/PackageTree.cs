using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Mcp.Guard.Isolation;
using Mcp.Guard.Isolation.Launch;

namespace Mcp.Guard.Packages;

/// <summary>
/// The digest of a folder: SHA-512 over every folder, file and link in ordinal order of their paths, with kind, executable bit, length and content. Anything else
/// (pipes, devices), and a link that leads out of the folder, is refused, so that what was hashed is all that can run.
/// </summary>
internal static class PackageTree
{
    private const int MaxEntries = 500_000;
    private const int MaxDepth = 100;
    private const long MaxBytes = 8L << 30;

    /// <summary>Computes the digest in lower-case hexadecimal.</summary>
    /// <exception cref="PackageException">The folder holds what no package may, or too much of it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be read.</exception>
    public static string Compute(string folder)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var entries = new List<(string Path, FileSystemInfo Info)>();
        Collect(new DirectoryInfo(root), string.Empty, 0, entries);
        entries.Sort(static (left, right) => string.CompareOrdinal(left.Path, right.Path));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        hash.AppendData("mcp-guard-package-1"u8);
        byte[] buffer = new byte[128 * 1024];
        long total = 0;
        foreach ((string path, FileSystemInfo info) in entries)
        {
            Append(hash, path);
            if (info.LinkTarget is { } target)
            {
                RequireInside(root, path, target);
                hash.AppendData("l"u8);
                Append(hash, target);
            }
            else if (info is DirectoryInfo)
            {
                hash.AppendData("d"u8);
            }
            else
            {
                total += AppendFile(hash, (FileInfo)info, buffer, MaxBytes - total);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Collect(DirectoryInfo folder, string prefix, int depth, List<(string Path, FileSystemInfo Info)> entries)
    {
        if (depth > MaxDepth)
        {
            throw new PackageException($"the package has folders deeper than {MaxDepth} levels");
        }

        foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false, MatchType = MatchType.Simple }))
        {
            if (entries.Count == MaxEntries)
            {
                throw new PackageException($"the package has more than {MaxEntries} files");
            }

            string path = prefix.Length == 0 ? info.Name : prefix + "/" + info.Name;
            entries.Add((path, info));
            if (info is DirectoryInfo inner && info.LinkTarget is null)
            {
                Collect(inner, path, depth + 1, entries);
            }
        }
    }

    private static int Kind(FileInfo file)
    {
        if (OperatingSystem.IsWindows())
        {
            return 'f';
        }

        return (file.UnixFileMode & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0 ? 'x' : 'f';
    }

    private static long AppendFile(IncrementalHash hash, FileInfo file, byte[] buffer, long most)
    {
        if (!IsRegular(file.FullName))
        {
            throw new PackageException($"'{file.Name}' of the package is no ordinary file");
        }

        using var content = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        long length = content.Length;
        if (length > most)
        {
            throw new PackageException("the package is too large");
        }

        hash.AppendData([(byte)Kind(file)]);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, length);
        hash.AppendData(number);
        long done = 0;
        for (int read; (read = content.Read(buffer)) > 0 && done <= length; done += read)
        {
            hash.AppendData(buffer, 0, read);
        }

        return done == length ? length : throw new PackageException($"'{file.Name}' of the package changed while it was read");
    }

    // A pipe blocks when it is opened. Where its kind cannot be told (macOS), only the guard's own folder is at stake.
    private static bool IsRegular(string path) =>
        !OperatingSystem.IsLinux() || (LinuxFileStatus.TryRead(path, out HostFileKind kind, out _, out _) && kind == HostFileKind.File);

    private static void RequireInside(string root, string path, string target)
    {
        // ".." only in front: behind a name it could follow another link, and then text and disk name different files.
        string[] segments = target.Split('/', Path.DirectorySeparatorChar);
        int ups = segments.TakeWhile(static segment => segment == "..").Count();
        string folder = Path.GetDirectoryName(Path.Combine(root, path))!;
        string led = Path.GetFullPath(Path.Combine(folder, target));
        if (Path.IsPathFullyQualified(target) || segments.Skip(ups).Contains("..", StringComparer.Ordinal)
            || !led.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new PackageException($"the link '{path}' of the package leads out of it");
        }
    }

    private static void Append(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, bytes.Length);
        hash.AppendData(number);
        hash.AppendData(bytes);
    }
}
