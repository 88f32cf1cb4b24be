namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>The official MCP servers from npm, where they are installed (<c>tests/npm</c>, <c>.ci/run</c> does it).</summary>
internal static class NpmServers
{
    public static string Node { get; } = FindNode() ?? string.Empty;

    /// <summary>The script of a server; ends the test as skipped where it is not installed.</summary>
    public static string Require(string package, string script)
    {
        string? folder = Folder();
        string? found = folder is null ? null : Path.Combine(folder, "node_modules", "@modelcontextprotocol", package, "dist", script);
        if (Node.Length == 0 || found is null || !File.Exists(found))
        {
            Assert.Ignore($"needs node and the npm package @modelcontextprotocol/{package}: run 'npm ci' in tests/npm and set MCP_GUARD_NPM to that folder (see .ci/run)");
        }

        return found!;
    }

    /// <summary>Node itself; ends the test as skipped where it is not installed.</summary>
    public static string RequireNode()
    {
        if (Node.Length == 0)
        {
            Assert.Ignore("needs node (see .ci/run)");
        }

        return Node;
    }

    private static string? Folder()
    {
        if (Environment.GetEnvironmentVariable("MCP_GUARD_NPM") is { Length: > 0 } set)
        {
            return set;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "artifacts", "npm");
            if (Directory.Exists(Path.Combine(candidate, "node_modules")))
            {
                return candidate;
            }
        }

        return null;
    }

    private static string? FindNode() =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
            .Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node"))
            .FirstOrDefault(File.Exists);
}
