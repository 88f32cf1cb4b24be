namespace Mcp.Guard.Tests;

/// <summary>The folder of the sources, for tests of what lies in it. Tests that run elsewhere are skipped.</summary>
internal static class Checkout
{
    /// <summary>The top folder, or null where the tests run without their sources.</summary>
    public static string? Root { get; } = Find();

    /// <summary>The top folder; ends the running test as skipped where there is none.</summary>
    public static string Require()
    {
        if (Root is null)
        {
            Assert.Ignore("runs in a checkout only");
        }

        return Root!;
    }

    public static string Read(string relative) => File.ReadAllText(Path.Combine(Require(), relative));

    /// <summary>The C# files below a folder that people wrote, with their paths from the top.</summary>
    public static IEnumerable<string> Sources(string folder) => Directory
        .EnumerateFiles(Path.Combine(Require(), folder), "*.cs", SearchOption.AllDirectories)
        .Select(static file => Path.GetRelativePath(Root!, file).Replace('\\', '/'))
        .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    /// <summary>The rows of the table under a heading (to the next heading), without its head, each as its cells.</summary>
    public static string[][] Table(string document, string heading)
    {
        IEnumerable<string> lines = Read(document).Split('\n').SkipWhile(line => line.Trim() != heading).Skip(1).TakeWhile(static line => !line.StartsWith('#'));
        return [.. lines.Where(static line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(static line => line.Trim().Trim('|').Split(" | ").Select(static cell => cell.Trim()).ToArray())];
    }

    private static string? Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !(File.Exists(Path.Combine(folder, "README.md")) && Directory.Exists(Path.Combine(folder, "docs"))))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder;
    }
}
