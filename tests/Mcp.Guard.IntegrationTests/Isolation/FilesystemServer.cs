using System.Diagnostics;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Gets the official filesystem server by npm, once; tests that need it are skipped where it cannot be had.</summary>
internal static class FilesystemServer
{
    public const string Node = "/usr/bin/node";
    public const string Package = "@modelcontextprotocol/server-filesystem@2026.8.31";
    public const string Entry = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";

    private static readonly Lazy<Task<string?>> s_installed = new(InstallAsync);

    /// <summary>The folder that holds its node_modules.</summary>
    public static async Task<string> RequireAsync()
    {
        RequireNpx();
        string? folder = await s_installed.Value;
        if (folder is null)
        {
            Assert.Ignore($"needs {Package} from npm, which cannot be reached here");
        }

        return folder!;
    }

    public static string RequireNpx()
    {
        string npx = Path.Combine(Path.GetDirectoryName(Node)!, "npx");
        if (!File.Exists(Node) || !File.Exists(npx))
        {
            Assert.Ignore($"needs {Node} and npx, which are absent here");
        }

        return npx;
    }

    /// <summary>A home folder whose npm cache holds the server, as after an earlier run of npx with a network.</summary>
    public static async Task<string> RequireCacheAsync(string folder)
    {
        string home = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName;

        // The server ends at once: its root is not a folder.
        await RunAsync(Path.Combine(Path.GetDirectoryName(Node)!, "npx"), home, "--yes", Package, "/nonexistent");
        if (!Directory.Exists(Path.Combine(home, ".npm", "_npx")))
        {
            Assert.Ignore($"needs {Package} from npm, which cannot be reached here");
        }

        await RunAsync("/bin/chmod", home, "-R", "a+rX", home);
        return home;
    }

    private static async Task<string?> InstallAsync()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "filesystem-server");
        if (!File.Exists(Path.Combine(folder, Entry)))
        {
            Directory.CreateDirectory(folder);
            await RunAsync(Path.Combine(Path.GetDirectoryName(Node)!, "npm"), null, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", Package);
        }

        return File.Exists(Path.Combine(folder, Entry)) ? folder : null;
    }

    private static async Task RunAsync(string program, string? home, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        if (home is not null)
        {
            start.Environment["npm_config_cache"] = Path.Combine(home, ".npm");
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task drained = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        await drained;
    }
}
