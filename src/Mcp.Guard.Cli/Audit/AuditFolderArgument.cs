using System.CommandLine;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Audit;

/// <summary>The folder of an audit log, as a verb is given it.</summary>
internal static class AuditFolderArgument
{
    private const string WhereItIs = "Name the folder that the policy calls audit.directory; it holds files like audit-00000001-20261124.jsonl.";

    public static Argument<string> Create() => new("DIR") { Description = "The folder of the log (audit.directory of the policy)." };

    /// <summary>The folder, which must exist.</summary>
    /// <exception cref="CommandFault">There is no such folder.</exception>
    public static string Existing(string folder)
    {
        string path = folder.Length == 0 ? folder : PolicyFile.FullPath(folder);
        return Directory.Exists(path) ? path
            : throw new CommandFault(File.Exists(path) ? $"{path} is a file, not the folder of a log" : $"there is no folder {path}", WhereItIs);
    }

    /// <summary>The folder, which must exist and hold a log.</summary>
    /// <exception cref="CommandFault">There is no log in it.</exception>
    public static string WithLog(string folder)
    {
        string path = Existing(folder);
        return AuditSegments.Ordered(DiskAuditStorage.Instance.List(path)).Count > 0 ? path : throw new CommandFault($"there is no audit log in {path}", WhereItIs);
    }
}
