using System.Security.Cryptography;

namespace Mcp.Guard.Audit;

/// <summary>Small files beside the segments, made or replaced at once or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Writes a file beside its name, synchronises it and renames it over what was there.</summary>
    public static void Write(IAuditStorage storage, string path, ReadOnlySpan<byte> content)
    {
        string next = path + ".new";
        if (storage.Exists(next))
        {
            storage.Delete(next);
        }

        using (IAuditStorageFile file = storage.Open(next, createNew: true))
        {
            int done = 0;
            while (done < content.Length)
            {
                int taken = file.Write(content[done..], done);
                done += taken > 0 ? taken : throw new IOException($"'{next}' took no bytes; is the disk full?");
            }

            file.Sync();
        }

        storage.Rename(next, path);
        storage.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>The random key that a file holds; made where there is none.</summary>
    /// <exception cref="AuditUnavailableException">The file holds something else.</exception>
    public static byte[] LoadOrMakeKey(IAuditStorage storage, string path, int bytes)
    {
        if (!storage.Exists(path))
        {
            Write(storage, path, RandomNumberGenerator.GetBytes(bytes));
        }

        byte[] key = new byte[bytes + 1];
        using Stream stream = storage.OpenRead(path);
        int length = stream.ReadAtLeast(key, key.Length, throwOnEndOfStream: false);
        return length == bytes
            ? key[..bytes]
            : throw new AuditUnavailableException($"'{path}' is not the key of the digests ({length} bytes); restore it, or remove it to begin with a new one");
    }
}
