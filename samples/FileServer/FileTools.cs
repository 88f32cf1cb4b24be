using System.ComponentModel;
using ModelContextProtocol.Server;

namespace FileServer;

/// <summary>The tools of the sample server.</summary>
[McpServerToolType]
internal sealed class FileTools
{
    [McpServerTool(Name = "read_file", ReadOnly = true, OpenWorld = false)]
    [Description("Reads a text file.")]
    public static string ReadFile([Description("Where the file is.")] string path) => File.ReadAllText(path);

    [McpServerTool(Name = "list_directory", ReadOnly = true, OpenWorld = false)]
    [Description("Lists the names in a folder.")]
    public static string ListDirectory([Description("Where the folder is.")] string path) =>
        string.Join('\n', Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [McpServerTool(Name = "write_file", Destructive = true, OpenWorld = false)]
    [Description("Writes a text file; what it held is lost.")]
    public static string WriteFile([Description("Where the file is.")] string path, [Description("What it will hold.")] string content)
    {
        File.WriteAllText(path, content);
        return $"wrote {content.Length} characters";
    }

    [McpServerTool(Name = "index_folder", ReadOnly = true, OpenWorld = false)]
    [Description("Builds an index of a folder. It never ends: a server that hangs.")]
    public static async Task<string> IndexFolder([Description("Where the folder is.")] string path)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan);
        return path;
    }
}
