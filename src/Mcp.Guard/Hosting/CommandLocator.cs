using System.Security.Cryptography;

namespace Mcp.Guard.Hosting;

/// <summary>Finds the program of a policy's command: an absolute path as it is, a bare name in the host's own search path. Never the working directory.</summary>
internal static class CommandLocator
{
    /// <exception cref="McpGuardException">There is no such program.</exception>
    public static string Locate(string command)
    {
        if (Path.IsPathFullyQualified(command))
        {
            return File.Exists(command) ? command : throw new McpGuardException($"The command '{command}' of the policy does not exist.");
        }

        if (command.Contains('/', StringComparison.Ordinal) || command.Contains('\\', StringComparison.Ordinal))
        {
            throw new McpGuardException($"The command '{command}' of the policy is neither an absolute path nor a bare name.");
        }

        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Path.IsPathFullyQualified(folder))
            {
                continue; // a relative entry would search the working directory
            }

            foreach (string name in OperatingSystem.IsWindows() ? (string[])[command + ".exe", command] : [command])
            {
                string candidate = Path.Combine(folder, name);
                if (File.Exists(candidate))
                {
                    return candidate;
                }
            }
        }

        throw new McpGuardException($"The command '{command}' of the policy is not in the search path of the host. Write its absolute path.");
    }

    /// <exception cref="McpGuardException">The program is not the pinned one.</exception>
    public static void VerifyHash(string executable, string? sha256, string serverId)
    {
        if (sha256 is null)
        {
            return;
        }

        using FileStream file = File.OpenRead(executable);
        string actual = Convert.ToHexStringLower(SHA256.HashData(file));
        if (!string.Equals(actual, sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new McpGuardException($"The program of server '{serverId}' is not the pinned one: its SHA-256 is {actual}.");
        }
    }
}
