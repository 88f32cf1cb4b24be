using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Cli.Commands;

/// <summary>The policy file that a verb was given, read as the guard reads it.</summary>
internal static class PolicyFile
{
    /// <summary>The largest policy that is read into memory; the reader refuses larger ones anyway.</summary>
    private const long MaxBytes = 16 * 1024 * 1024 + 3;

    /// <exception cref="CommandFault">The file is not there, is no file, or cannot be read.</exception>
    /// <exception cref="McpGuardPolicyException">Its content is not acceptable.</exception>
    public static PolicySnapshot Read(string path)
    {
        string full = FullPath(path);
        return PolicyReader.Read(Bytes(full), full, new BuiltInSchemaCompiler());
    }

    /// <summary>The bytes of a file that the user named.</summary>
    /// <exception cref="CommandFault">The file is not there, is no file, is too large, or cannot be read.</exception>
    public static byte[] Bytes(string path)
    {
        string full = FullPath(path);
        if (Directory.Exists(full))
        {
            throw new CommandFault($"{full} is a folder", "Name the policy file in it.");
        }

        try
        {
            // Opened before it is measured: what is read is what was measured, and a pipe or device has no length to trust.
            using var file = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var content = new MemoryStream();
            byte[] buffer = new byte[64 * 1024];
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                content.Write(buffer, 0, read);
                if (content.Length > MaxBytes)
                {
                    throw new CommandFault($"{full} is larger than 16 MiB", "A policy is never that large; check the path.");
                }
            }

            return content.ToArray();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFault($"there is no file {full}", "Check the spelling of the path, or write a policy with 'mcp-guard init'.", cause: missing);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new CommandFault($"{full} cannot be read: {refused.Message}", "See that the file belongs to you and can be read.", cause: refused);
        }
    }

    /// <exception cref="CommandFault">The text is no path.</exception>
    public static string FullPath(string path)
    {
        try
        {
            return Path.GetFullPath(path);
        }
        catch (Exception malformed) when (malformed is ArgumentException or NotSupportedException or PathTooLongException)
        {
            throw new CommandFault($"'{path}' is no path that this system knows", "Check the spelling of the path.", cause: malformed);
        }
    }
}
