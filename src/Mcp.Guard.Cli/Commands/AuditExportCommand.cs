using System.CommandLine;
using System.Globalization;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Audit;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard audit export DIR</c>: the log for other tools, without what must not leave its folder.</summary>
internal static class AuditExportCommand
{
    public static Command Create()
    {
        Argument<string> folder = AuditFolderArgument.Create();
        var format = new Option<string>("--format")
        {
            Description = "jsonl: the records as they are. ocsf: events of class API Activity (6003) of the Open Cybersecurity Schema Framework 1.6.0.",
            DefaultValueFactory = static _ => "jsonl",
        };
        format.AcceptOnlyFromAmong("jsonl", "ocsf");
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; standard output by default." };
        var selection = new AuditSelectionOptions();
        var verb = new Verb(
            "export",
            "Writes records of an audit log as JSON Lines. The links of the chain and keyed digests never leave the log. With --json and -o, the count is reported as JSON.",
            "mcp-guard audit export ./audit --format ocsf -o events.jsonl",
            "mcp-guard audit export ./audit --denied | jq -r .code | sort | uniq -c")
        {
            folder, format, output,
        };
        selection.AddTo(verb);
        verb.Runs(async (parsed, terminal, ct) =>
        {
            string path = AuditFolderArgument.WithLog(parsed.GetValue(folder)!);
            AuditSelection selected = selection.Read(parsed, TimeProvider.System);
            AuditExportFormat form = string.Equals(parsed.GetValue(format), "ocsf", StringComparison.Ordinal) ? AuditExportFormat.Ocsf : AuditExportFormat.Json;
            var log = new AuditFileReader(path);
            var reader = new SelectedAuditReader(log, selected);
            if (parsed.GetValue(output) is not { } file)
            {
                Stream target = CommandLine.Streams(parsed).Output;
                await AuditFiles.ExportAsync(reader, target, form, selected.Query, ct).ConfigureAwait(false);
                await target.FlushAsync(ct).ConfigureAwait(false);
                WarnOfUnreadable(terminal, log.Unreadable);
                return ExitCodes.Done;
            }

            file = Path.GetFullPath(file);
            if (Directory.Exists(file))
            {
                throw new CommandFault($"-o {file} is a folder", "Name a file.");
            }

            if (LiesInLog(file))
            {
                throw new CommandFault($"-o {file} lies in the folder of a log, which only the guard writes", "Name a file elsewhere.");
            }

            long count = await terminal.WithProgressAsync("exporting", () => WriteFileAsync(reader, file, form, selected.Query, ct)).ConfigureAwait(false);
            WarnOfUnreadable(terminal, log.Unreadable);
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{count} records to {file}"));
            terminal.Json(json =>
            {
                json.WriteNumber("records", count);
                json.WriteNumber("unreadableLines", log.Unreadable);
                json.WriteString("file", file);
            });
            return ExitCodes.Done;
        });
        return verb;
    }

    /// <summary>Whether a file, or what a link in its place leads to, is beside the segments of a log: it would be emptied before it is read, or taken for a part of the log.</summary>
    private static bool LiesInLog(string file)
    {
        var named = new FileInfo(file);
        string written = named.LinkTarget is null ? file : named.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        return Path.GetDirectoryName(written) is { } folder && Directory.Exists(folder) && AuditSegments.Ordered(DiskAuditStorage.Instance.List(folder)).Count > 0;
    }

    /// <summary>Lines that are no records are left out of every reading; nobody must take the rest for the whole.</summary>
    public static void WarnOfUnreadable(CommandTerminal terminal, long lines)
    {
        if (lines > 0)
        {
            terminal.Warn(string.Create(CultureInfo.InvariantCulture, $"{lines} lines of the log are no records and are left out; see 'mcp-guard audit verify'"));
        }
    }

    private static async Task<long> WriteFileAsync(SelectedAuditReader reader, string file, AuditExportFormat format, AuditQuery query, CancellationToken ct)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            // What the log lets only its owner read stays that way.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var stream = new FileStream(file, options);
        await using (stream.ConfigureAwait(false))
        {
            return await AuditFiles.ExportAsync(reader, stream, format, query, ct).ConfigureAwait(false);
        }
    }
}
