using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.State;

/// <summary>
/// A small JSON file of the guard's own: replaced as a whole, readable and writable by its owner only, with a digest so that damage is seen.
/// The digest finds accidents; who may write the file is a matter of its folder.
/// </summary>
internal sealed class StateFile
{
    /// <summary>A larger file is damaged.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly JsonLimits Limits = new(MaxBytes, 32, 5_000_000);

    private readonly string _path;
    private readonly string _format;

    /// <param name="path">Absolute path; its folder is made with the file.</param>
    /// <param name="format">What the file is, with its version; another format is damage.</param>
    public StateFile(string path, string format)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            throw new ArgumentException($"'{path}' is not absolute; a state file must not depend on the working directory.", nameof(path));
        }

        _path = path;
        _format = format;
    }

    public string FilePath => _path;

    /// <summary>Reads the content. Never throws for what it finds.</summary>
    /// <param name="content">The content, detached; undefined unless <see cref="StateFileStatus.Sound"/>.</param>
    /// <param name="problem">What is wrong, for the log.</param>
    public StateFileStatus Read(out JsonElement content, out string? problem)
    {
        content = default;
        try
        {
            var info = new FileInfo(_path);
            if (!info.Exists)
            {
                problem = null;
                return File.Exists(_path + ".made") ? StateFileStatus.Lost : StateFileStatus.Missing;
            }

            if (info.LinkTarget is not null || (info.Attributes & FileAttributes.Directory) != 0)
            {
                problem = "it is a link or a folder";
                return StateFileStatus.Damaged;
            }

            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(_path) & Others) != 0)
            {
                problem = "others than its owner may read or write it; its permissions must be 600";
                return StateFileStatus.Damaged;
            }

            if (info.Length > MaxBytes)
            {
                problem = "it is too large";
                return StateFileStatus.Damaged;
            }

            return Parse(File.ReadAllBytes(_path), out content, out problem);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            content = default;
            problem = $"it cannot be read ({failure.GetType().Name})";
            return StateFileStatus.Damaged;
        }
    }

    /// <summary>Replaces the file. After this returns the new content survives a crash; until then the old one does.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Write(ReadOnlySpan<byte> content)
    {
        string folder = Path.GetDirectoryName(_path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, Mine | UnixFileMode.UserExecute);
        }

        Mark();
        string temporary = $"{_path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp";
        try
        {
            using (FileStream stream = Create(temporary))
            {
                using var writer = new Utf8JsonWriter(stream);
                writer.WriteStartObject();
                writer.WriteString("format"u8, _format);
                writer.WriteString("sha256"u8, Digest(content));
                writer.WritePropertyName("content"u8);
                writer.WriteRawValue(content);
                writer.WriteEndObject();
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, _path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Puts a damaged file aside, so that it can be looked at; nothing where there is none.</summary>
    public void SetAside()
    {
        if (File.Exists(_path))
        {
            File.Move(_path, _path + ".damaged", overwrite: true);
        }
    }

    private StateFileStatus Parse(byte[] bytes, out JsonElement content, out string? problem)
    {
        content = default;
        problem = "its content is not what was written";
        if (JsonAdmission.Check(bytes, Limits) != JsonFault.None)
        {
            return StateFileStatus.Damaged;
        }

        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("format"u8, out JsonElement format) || format.ValueKind != JsonValueKind.String || !format.ValueEquals(_format)
            || !root.TryGetProperty("sha256"u8, out JsonElement digest) || digest.ValueKind != JsonValueKind.String
            || !root.TryGetProperty("content"u8, out JsonElement found)
            || !digest.ValueEquals(Digest(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(found))))
        {
            return StateFileStatus.Damaged;
        }

        content = found.Clone();
        problem = null;
        return StateFileStatus.Sound;
    }

    // Says that the file once was: without it, a file that was deleted would look like one that never existed.
    private void Mark()
    {
        string mark = _path + ".made";
        if (!File.Exists(mark))
        {
            using FileStream stream = Create(mark);
            stream.Flush(flushToDisk: true);
        }
    }

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Mine;
        }

        return new FileStream(path, options);
    }

    private static string Digest(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[CanonicalJson.HashLength];
        return CanonicalJson.TryHash("mcp-guard state file 1\n"u8, content, Limits, hash) == JsonFault.None ? Convert.ToHexStringLower(hash) : string.Empty;
    }
}
