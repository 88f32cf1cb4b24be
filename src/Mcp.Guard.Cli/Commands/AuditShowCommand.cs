using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Audit;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard audit show DIR</c>: the log for people, record by record, and as it grows.</summary>
internal static class AuditShowCommand
{
    /// <summary>How often <c>--follow</c> looks for new records.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        Argument<string> folder = AuditFolderArgument.Create();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on showing records as they are written, until Ctrl+C." };
        var details = new Option<bool>("--details", "-d") { Description = "Show every member of each record. On with --id." };
        var limit = new Option<long>("--limit", "-n") { Description = "Show so many records at most.", DefaultValueFactory = static _ => long.MaxValue, HelpName = "N" };
        limit.Validators.Add(static result =>
        {
            if (result.Tokens.Count > 0 && (!long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long value) || value < 1))
            {
                result.AddError("--limit must be 1 or more.");
            }
        });
        var selection = new AuditSelectionOptions();
        var verb = new Verb(
            "show",
            "Shows records of an audit log. It proves nothing: 'audit verify' does. With --json, one JSON object a line, as 'audit export' writes them.",
            "mcp-guard audit show ./audit --since 1h --denied",
            "mcp-guard audit show ./audit --server files --tool 'write_*' --follow",
            "mcp-guard audit show ./audit --id 01936a8e-3f0e-7c51-9a35-0d6c1b6f2a11")
        {
            folder, follow, details, limit,
        };
        selection.AddTo(verb);
        verb.Runs(async (parsed, terminal, ct) =>
        {
            TimeProvider time = TimeProvider.System;
            bool follows = parsed.GetValue(follow);
            AuditSelection selected = selection.Read(parsed, time);
            string path = follows ? AuditFolderArgument.Existing(parsed.GetValue(folder)!) : AuditFolderArgument.WithLog(parsed.GetValue(folder)!);
            var view = new View(terminal, CommandLine.Streams(parsed).Output, parsed.GetValue(details) || selected.Query.DecisionId is not null, parsed.GetValue(limit));
            if (follows)
            {
                return await FollowAsync(path, selected, view, time, ct).ConfigureAwait(false);
            }

            var log = new AuditFileReader(path);
            await foreach (AuditEntry entry in new SelectedAuditReader(log, selected).ReadAsync(selected.Query, ct).ConfigureAwait(false))
            {
                if (!view.Show(entry))
                {
                    break;
                }
            }

            view.End();
            AuditExportCommand.WarnOfUnreadable(terminal, log.Unreadable);
            return ExitCodes.Done;
        });
        return verb;
    }

    private static async Task<int> FollowAsync(string folder, AuditSelection selected, View view, TimeProvider time, CancellationToken ct)
    {
        var follower = new AuditFollower(folder, DiskAuditStorage.Instance);
        try
        {
            while (true)
            {
                foreach (AuditEntry entry in follower.Read(selected.Query, ct))
                {
                    if (selected.Includes(entry) && !view.Show(entry))
                    {
                        return ExitCodes.Done;
                    }
                }

                view.Flush();
                await Task.Delay(FollowInterval, time, ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ExitCodes.Done; // Ctrl+C is how following ends
        }
    }

    /// <summary>Where the records go, one after the other.</summary>
    private sealed class View(CommandTerminal terminal, Stream output, bool details, long limit)
    {
        private readonly AuditRow _row = new(terminal.Width);
        private readonly ArrayBufferWriter<byte> _json = new();
        private long _shown;

        /// <summary>Shows a record; false when no more are wanted.</summary>
        public bool Show(AuditEntry entry)
        {
            if (terminal.IsJson)
            {
                WriteJson(entry);
            }
            else
            {
                WriteText(entry);
            }

            return ++_shown < limit;
        }

        /// <summary>What was shown is seen now.</summary>
        public void Flush() => output.Flush();

        public void End()
        {
            output.Flush();
            if (_shown == 0 && !terminal.IsJson)
            {
                terminal.Line("no record is selected");
            }
        }

        private void WriteText(AuditEntry entry)
        {
            if (_shown == 0)
            {
                terminal.Line(_row.Header, Tone.Strong);
            }

            Tone tone = AuditRow.ToneOf(entry);
            foreach (string line in _row.Lines(entry))
            {
                terminal.Line(line, tone);
            }

            if (details)
            {
                foreach (string line in _row.Details(entry))
                {
                    terminal.Line(line, Tone.Faint);
                }
            }
        }

        private void WriteJson(AuditEntry entry)
        {
            _json.ResetWrittenCount();
            using (var writer = new Utf8JsonWriter(_json))
            {
                AuditExport.Write(entry, writer);
            }

            output.Write(_json.WrittenSpan);
            output.WriteByte((byte)'\n');
        }
    }
}
