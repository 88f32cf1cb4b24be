using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.State;

namespace Mcp.Guard.Packages;

/// <summary>The lock of the store: what was installed, with the digests that every start is held to. A damaged or lost one verifies nothing.</summary>
internal sealed class PackageLock
{
    private const string FileName = "mcp-guard.lock.json";

    private readonly StateFile _file;
    private readonly SortedDictionary<string, PackageRecord> _records = new(StringComparer.Ordinal);

    private PackageLock(string store) => _file = new StateFile(Path.Combine(store, FileName), "mcp-guard-packages-1");

    /// <summary>Reads the lock of a store; one that does not exist is empty.</summary>
    /// <exception cref="PackageException">It is damaged, lost, or others can write it.</exception>
    public static PackageLock Open(string store)
    {
        var found = new PackageLock(store);
        switch (found._file.Read(out JsonElement content, out string? problem))
        {
            case StateFileStatus.Missing:
                return found;
            case StateFileStatus.Sound:
                found.Load(content);
                return found;
            default:
                throw new PackageException($"the lock of the package store, {found._file.FilePath}, is not usable{(problem is null ? string.Empty : ": " + problem)}. Delete the store and run 'mcp-guard install' again");
        }
    }

    /// <summary>
    /// The folder of a package in the store, and its key in the lock: never two packages the same one, also where the file system takes letters of either case for one.
    /// npm tells them apart (<c>JSONStream</c> and <c>jsonstream</c> are two packages), so its capitals are marked; NuGet does not.
    /// </summary>
    public static string KeyOf(PackageEndpoint package)
    {
        string plain = $"{package.Name.Replace('/', '+')}@{package.Version}";
        return package.Kind == PackageKind.Npm
            ? "npm/" + string.Concat(plain.Select(static c => char.IsAsciiLetterUpper(c) ? "!" + char.ToLowerInvariant(c) : c.ToString()))
            : "dotnet/" + plain.ToLowerInvariant();
    }

    public PackageRecord? Find(PackageEndpoint package) =>
        _records.TryGetValue(KeyOf(package), out PackageRecord? record)
        && record.Kind == package.Kind && string.Equals(record.Version, package.Version, StringComparison.Ordinal)
        && string.Equals(record.Name, package.Name, package.Kind == PackageKind.Npm ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase)
            ? record
            : null;

    /// <summary>Adds or replaces a record and writes the lock.</summary>
    public void Put(PackageEndpoint package, PackageRecord record)
    {
        _records[KeyOf(package)] = record;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer);
        }

        _file.Write(buffer.WrittenSpan);
    }

    private void Load(JsonElement content)
    {
        foreach (JsonElement item in content.GetProperty("packages").EnumerateArray())
        {
            var record = new PackageRecord(
                Text(item, "registry") == "npm" ? PackageKind.Npm : PackageKind.Dotnet,
                Text(item, "name"),
                Text(item, "version"),
                Text(item, "integrity"),
                Text(item, "tree"),
                item.TryGetProperty("dependencies", out JsonElement dependencies) ? JsonText.GetString(dependencies) : null);
            _records[KeyOf(new PackageEndpoint { Kind = record.Kind, Name = record.Name, Version = record.Version })] = record;
        }
    }

    private static string Text(JsonElement item, string name) => JsonText.GetString(item.GetProperty(name));

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("packages");
        foreach (PackageRecord record in _records.Values)
        {
            writer.WriteStartObject();
            writer.WriteString("registry", record.Kind == PackageKind.Npm ? "npm" : "dotnet");
            writer.WriteString("name", record.Name);
            writer.WriteString("version", record.Version);
            writer.WriteString("integrity", record.Integrity);
            writer.WriteString("tree", record.Tree);
            if (record.Dependencies is not null)
            {
                writer.WriteString("dependencies", record.Dependencies);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
