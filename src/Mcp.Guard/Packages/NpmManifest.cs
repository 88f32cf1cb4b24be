using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Packages;

/// <summary>Reads which program a package.json names, as npx chooses: the one asked for, the only one, or the one named like the package.</summary>
internal static class NpmManifest
{
    /// <summary>The program's path as the manifest spells it, relative to the package; null where there is none or the choice is open.</summary>
    /// <param name="manifest">The manifest's root object.</param>
    /// <param name="package">The package's name, with its scope.</param>
    /// <param name="executable">The command that is wanted, or null.</param>
    public static string? Program(JsonElement manifest, string package, string? executable = null)
    {
        if (manifest.ValueKind != JsonValueKind.Object || !manifest.TryGetProperty("bin", out JsonElement bin))
        {
            return null;
        }

        string plain = package[(package.IndexOf('/', StringComparison.Ordinal) + 1)..];
        if (bin.ValueKind == JsonValueKind.Object)
        {
            JsonElement.ObjectEnumerator programs = bin.EnumerateObject();
            bin = executable is not null ? bin.TryGetProperty(executable, out JsonElement asked) ? asked : default
                : bin.GetPropertyCount() == 1 && programs.MoveNext() ? programs.Current.Value
                : bin.TryGetProperty(plain, out JsonElement named) ? named
                : default;
        }
        else if (executable is not null && !string.Equals(executable, plain, StringComparison.Ordinal))
        {
            return null; // a single text is a command named like the package
        }

        return bin.ValueKind == JsonValueKind.String ? JsonText.GetString(bin) : null;
    }
}
