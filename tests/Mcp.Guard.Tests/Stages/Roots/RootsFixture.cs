using System.Text.Json;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Builds the folders, files and links of the path corpus under a fresh temporary folder, and removes them.</summary>
internal sealed class RootsFixture : IDisposable
{
    public RootsFixture(JsonElement fixture)
    {
        Folder = Directory.CreateTempSubdirectory("mcp-guard-roots-").FullName;
        foreach (JsonElement dir in fixture.GetProperty("dirs").EnumerateArray())
        {
            Directory.CreateDirectory(Path.Combine(Folder, dir.GetString()!));
        }

        foreach (JsonProperty file in fixture.GetProperty("files").EnumerateObject())
        {
            File.WriteAllText(Path.Combine(Folder, file.Name), file.Value.GetString());
        }

        foreach (JsonProperty link in fixture.GetProperty("symlinks").EnumerateObject())
        {
            File.CreateSymbolicLink(Path.Combine(Folder, link.Name), Substitute(link.Value.GetString()!));
        }

        foreach (JsonProperty link in fixture.GetProperty("hardlinks").EnumerateObject())
        {
            // The class library has no hard links; to a path check a copy is the same.
            File.Copy(Path.Combine(Folder, link.Value.GetString()!), Path.Combine(Folder, link.Name));
        }
    }

    public string Folder { get; }

    public string Substitute(string text) => text.Replace("${FS}", Folder, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
