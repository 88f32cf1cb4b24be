using System.Text.Json;

namespace Mcp.Guard.Tests;

/// <summary>Reads the attack and benign cases that lie beside the tests.</summary>
internal static class CorpusFile
{
    public static JsonDocument Open(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Corpus", name)));

    /// <summary>The folder of third-party cases beside the checkout, or null where it is absent; such tests are skipped with that reason.</summary>
    public static string? Shared(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "corpus", relative);
            if (Path.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>The same, ending the running test as skipped where the folder is absent.</summary>
    public static string RequireShared(string relative)
    {
        string? found = Shared(relative);
        if (found is null)
        {
            Assert.Ignore($"needs ../shared/corpus/{relative} beside the checkout, which is absent here");
        }

        return found!;
    }
}
