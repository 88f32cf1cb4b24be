using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Packages;

/// <summary>Judges an npm lock file (lockfileVersion 2 or 3): every package comes from a registry with a SHA-512, so that a second install gives the same bytes or fails.</summary>
internal static class NpmLockFile
{
    private const int MaxBytes = 16 << 20;
    private const int MaxPackages = 20_000;

    private static readonly JsonLimits Limits = new(MaxBytes, 32, 1_000_000);

    /// <summary>The integrity of the wanted package.</summary>
    /// <exception cref="PackageException">The lock pins less than everything.</exception>
    public static string Check(ReadOnlyMemory<byte> utf8, string name, string version)
    {
        if (JsonAdmission.Check(utf8.Span, Limits) != JsonFault.None)
        {
            throw new PackageException("npm's lock file is not acceptable JSON");
        }

        using JsonDocument document = JsonDocument.Parse(utf8);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("packages", out JsonElement packages) || packages.ValueKind != JsonValueKind.Object
            || packages.GetPropertyCount() > MaxPackages)
        {
            throw new PackageException("npm's lock file has no packages; npm 7 or later is needed");
        }

        string? integrity = null;
        foreach (JsonProperty entry in packages.EnumerateObject())
        {
            string place = JsonText.GetName(entry);
            if (place.Length == 0)
            {
                continue; // the store's own package.json
            }

            if (entry.Value.ValueKind != JsonValueKind.Object || Flag(entry.Value, "link"))
            {
                throw new PackageException($"the dependency '{place}' is a link or unreadable, and can be pinned by nothing");
            }

            if (Flag(entry.Value, "inBundle"))
            {
                continue; // inside the tarball of the package that bundles it, whose integrity covers it
            }

            string sum = Text(entry.Value, "integrity") ?? string.Empty;

            // npm leaves the place out where it is told to (omit-lockfile-registry-resolved): only the registry's own packages have none.
            string? from = Text(entry.Value, "resolved");
            bool registry = from is null ? !entry.Value.TryGetProperty("resolved", out _) : from.StartsWith("https://", StringComparison.Ordinal) || from.StartsWith("http://", StringComparison.Ordinal);
            if (!sum.StartsWith("sha512-", StringComparison.Ordinal) || !registry)
            {
                throw new PackageException($"the dependency '{place}' does not come from a registry with a SHA-512 (a git or file reference, or a package older than 2017), so nothing can pin it");
            }

            if (place == "node_modules/" + name)
            {
                integrity = string.Equals(Text(entry.Value, "version"), version, StringComparison.Ordinal)
                    ? sum
                    : throw new PackageException($"npm chose another version of {name} than {version}");
            }
        }

        return integrity ?? throw new PackageException($"npm's lock file does not name {name}");
    }

    private static bool Flag(JsonElement entry, string name) => entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? JsonText.GetString(value) : null;
}
