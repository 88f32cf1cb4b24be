using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;
using Mcp.Guard.State;

namespace Mcp.Guard.Packages;

/// <summary>
/// Installs server packages into the store with the registries' own clients: npm from a lock with the integrity of every dependency and without running a
/// script, .NET tools by exact version. It works in a folder that it makes itself, so that no planted .npmrc or nuget.config is read, and moves the
/// result into place only when it is whole, digested and read-only.
/// </summary>
internal sealed class PackageInstaller(PackageStore store, PackageInstallerOptions options)
{
    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const UnixFileMode Reading = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Executing = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const int LongestFile = 16 << 20;
    private const string Staging = ".staging-";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Installs a package unless the store holds it as it was installed.</summary>
    /// <returns>Whether anything was installed.</returns>
    /// <exception cref="PackageException">It cannot be installed, or gives something else than the lock says.</exception>
    public async Task<bool> InstallAsync(PackageEndpoint package, CancellationToken ct)
    {
        if (Holds(package))
        {
            return false; // before the lock: a store that is whole need not be writable
        }

        MakeFolder(store.Folder);
        using StateFileLock alone = await TakeAsync(ct).ConfigureAwait(false);
        RemoveLeftovers();
        PackageLock lockFile = PackageLock.Open(store.Folder);
        PackageRecord? before = lockFile.Find(package);
        if (before is not null && IsSound(package))
        {
            return false;
        }

        string staging = Path.Combine(store.Folder, $"{Staging}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}");
        MakeFolder(staging);
        try
        {
            PackageRecord record = package.Kind == PackageKind.Npm
                ? await InstallNpmAsync(package, before, staging, ct).ConfigureAwait(false)
                : await InstallDotnetAsync(package, staging, ct).ConfigureAwait(false);
            MakeReadOnly(staging);
            record = record with { Tree = PackageTree.Compute(staging) };
            PackageStore.Locate(package, staging, record.Tree);
            if (before is not null && !string.Equals(before.Integrity, record.Integrity, StringComparison.Ordinal))
            {
                throw new PackageException($"the registry now gives another {package.Name}@{package.Version} than the lock says: {record.Integrity}, not {before.Integrity}");
            }

            Place(staging, store.FolderOf(package));
            lockFile.Put(package, record);
            return true;
        }
        finally
        {
            Remove(staging);
        }
    }

    private bool Holds(PackageEndpoint package) => Directory.Exists(store.Folder) && PackageLock.Open(store.Folder).Find(package) is not null && IsSound(package);

    /// <summary>One installation at a time: each writes the lock of all packages, and puts folders in place of others.</summary>
    private async Task<StateFileLock> TakeAsync(CancellationToken ct)
    {
        long begin = options.Time.GetTimestamp();
        while (true)
        {
            if (StateFileLock.TryTake(Path.Combine(store.Folder, "install")) is { } taken)
            {
                return taken;
            }

            if (options.Time.GetElapsedTime(begin) >= options.Timeout)
            {
                throw new PackageException($"another 'mcp-guard install' works on the store {store.Folder}. Wait for its end, then run this one again");
            }

            await Task.Delay(Pause, options.Time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Removes what installations left that were ended before their time; while the lock is held no other one runs.</summary>
    private void RemoveLeftovers()
    {
        foreach (DirectoryInfo left in new DirectoryInfo(store.Folder).EnumerateDirectories(Staging + "*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            try
            {
                if (left.LinkTarget is null)
                {
                    Remove(left.FullName);
                }
            }
            catch (UnauthorizedAccessException)
            {
                // Another account's, such as of an installation with sudo: it takes room and is in nobody's way.
            }
        }
    }

    private bool IsSound(PackageEndpoint package)
    {
        try
        {
            store.Verify(package);
            return true;
        }
        catch (PackageException)
        {
            return false; // it is installed again, and must come out as the lock says
        }
    }

    private async Task<PackageRecord> InstallNpmAsync(PackageEndpoint package, PackageRecord? before, string staging, CancellationToken ct)
    {
        string manifest = Path.Combine(staging, "package.json");
        string lockPath = Path.Combine(staging, "package-lock.json");
        await File.WriteAllBytesAsync(manifest, Manifest(package), ct).ConfigureAwait(false);
        List<string> common = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--omit=dev"];
        if (options.NpmRegistry is { } registry)
        {
            common.Add("--registry=" + registry);
        }

        if (before?.Dependencies is { } locked)
        {
            await File.WriteAllTextAsync(lockPath, locked, ct).ConfigureAwait(false);
        }
        else
        {
            await PackageClient.RunAsync("npm", ["install", "--package-lock-only", .. common], staging, options, ct).ConfigureAwait(false);
        }

        ReadOnlyMemory<byte> lockBytes = LocalFiles.Instance.Read(lockPath, LongestFile) ?? throw new PackageException("npm wrote no lock file, or one over 16 MiB");
        string integrity = NpmLockFile.Check(lockBytes, package.Name, package.Version);

        // "ci" takes the lock as it is and checks each tarball against its integrity.
        await PackageClient.RunAsync("npm", ["ci", .. common], staging, options, ct).ConfigureAwait(false);
        return new PackageRecord(PackageKind.Npm, package.Name, package.Version, integrity, string.Empty, Encoding.UTF8.GetString(lockBytes.Span));
    }

    private async Task<PackageRecord> InstallDotnetAsync(PackageEndpoint package, string staging, CancellationToken ct)
    {
        List<string> arguments = ["tool", "install", package.Name, "--version", $"[{package.Version}]", "--tool-path", Path.Combine(staging, "tool")];
        if (options.NugetSource is { } source)
        {
            arguments.AddRange(["--source", source]);
        }

        await PackageClient.RunAsync("dotnet", arguments, staging, options, ct).ConfigureAwait(false);
        string[] archives = [.. Directory.EnumerateFiles(staging, "*.nupkg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        if (archives.Length == 0)
        {
            throw new PackageException("dotnet tool install left no package to take the digest of");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        foreach (string archive in archives)
        {
            using FileStream content = File.OpenRead(archive);
            hash.AppendData(await SHA512.HashDataAsync(content, ct).ConfigureAwait(false));
        }

        return new PackageRecord(PackageKind.Dotnet, package.Name, package.Version, "sha512-" + Convert.ToBase64String(hash.GetHashAndReset()), string.Empty, null);
    }

    private static byte[] Manifest(PackageEndpoint package)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("name", "mcp-guard-package");
            writer.WriteString("version", "1.0.0");
            writer.WriteBoolean("private", true);
            writer.WriteStartObject("dependencies");
            writer.WriteString(package.Name, package.Version);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, Folder);
        }
    }

    /// <summary>Takes every right to write away, and gives everyone the right to read, for a server that runs as another user.</summary>
    private static void MakeReadOnly(string folder)
    {
        foreach (FileSystemInfo info in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            if (info.LinkTarget is not null)
            {
                continue;
            }

            if (info is DirectoryInfo)
            {
                MakeReadOnly(info.FullName);
            }
            else if (OperatingSystem.IsWindows())
            {
                info.Attributes |= FileAttributes.ReadOnly;
            }
            else
            {
                bool runs = (info.UnixFileMode & Executing) != 0;
                info.UnixFileMode = Reading | (runs ? Executing : UnixFileMode.None);
            }
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, Reading | Executing);
        }
    }

    private static void Place(string staging, string target)
    {
        MakeFolder(Path.GetDirectoryName(target)!);
        Remove(target);
        if (OperatingSystem.IsWindows())
        {
            Directory.Move(staging, target);
            return;
        }

        // A folder that changes its parent has to be writable itself.
        File.SetUnixFileMode(staging, Folder);
        Directory.Move(staging, target);
        File.SetUnixFileMode(target, Reading | Executing);
    }

    private static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        MakeWritable(folder);
        Directory.Delete(folder, recursive: true);
    }

    private static void MakeWritable(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, Folder);
        }

        foreach (FileSystemInfo info in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            if (info.LinkTarget is not null)
            {
                continue;
            }

            if (info is DirectoryInfo)
            {
                MakeWritable(info.FullName);
            }
            else if (OperatingSystem.IsWindows())
            {
                info.Attributes &= ~FileAttributes.ReadOnly;
            }
        }
    }
}
