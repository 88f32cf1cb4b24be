using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Audit;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard audit verify DIR</c>: checks every hash and link of a log and names the first bad record.</summary>
internal static class AuditVerifyCommand
{
    /// <summary>A log that is written while it is read can end in half a record for a moment; what a crash left stays.</summary>
    private static readonly TimeSpan TornPatience = TimeSpan.FromMilliseconds(300);

    private const int TornAttempts = 3;

    public static Command Create()
    {
        Argument<string> folder = AuditFolderArgument.Create();
        var keys = new Option<string[]>("--key-secret") { Description = "The environment variable that holds a key of the chain (base64). Repeat it for former keys." };
        var unkeyed = new Option<bool>("--allow-unkeyed") { Description = "Accept segments without a key although keys are given: for a log that was begun without one." };
        var checkpoint = new Option<string?>("--checkpoints") { Description = "The checkpoint file that was kept elsewhere (audit.checkpoints of the policy)." };
        var checkpointKey = new Option<string?>("--checkpoint-key-secret") { Description = "The environment variable that holds the checkpoint's key; by default the first key of the chain." };
        var verb = new Verb(
            "verify",
            "Checks every hash and link of an audit log. Ends with 0 where every record is in order, 1 where one is not, 2 where it cannot be said.",
            "mcp-guard audit verify /var/lib/acme/mcp-audit",
            "mcp-guard audit verify ./audit --key-secret AUDIT_KEY --checkpoints kept.json",
            "mcp-guard audit verify ./audit --json")
        {
            folder, keys, unkeyed, checkpoint, checkpointKey,
        };
        verb.Runs(async (parsed, terminal, ct) =>
        {
            string path = AuditFolderArgument.Existing(parsed.GetValue(folder)!);
            AuditVerifierOptions options = await OptionsAsync(
                parsed.GetValue(keys) ?? [], parsed.GetValue(unkeyed), parsed.GetValue(checkpoint), parsed.GetValue(checkpointKey), ct).ConfigureAwait(false);
            AuditVerification found = await terminal.WithProgressAsync("checking the log", () => Task.Run(() => VerifyAsync(path, options, ct), ct)).ConfigureAwait(false);
            ct.ThrowIfCancellationRequested();
            string next = NextStep(found, options);
            Write(terminal, path, found, next);
            terminal.Json(json => WriteJson(json, path, found, next));
            return found.Verdict switch
            {
                AuditVerdict.Valid => ExitCodes.Done,
                AuditVerdict.Tampered or AuditVerdict.Torn => ExitCodes.Negative,
                _ => ExitCodes.BadInput,
            };
        });
        return verb;
    }

    private static async Task<AuditVerifierOptions> OptionsAsync(string[] keys, bool allowUnkeyed, string? checkpointFile, string? checkpointKey, CancellationToken ct)
    {
        var chain = new List<ReadOnlyMemory<byte>>();
        foreach (string secret in keys)
        {
            chain.Add(await AuditKeys.ReadAsync("--key-secret", secret, ct).ConfigureAwait(false));
        }

        if (checkpointKey is not null && checkpointFile is null)
        {
            throw new CommandFault("--checkpoint-key-secret says nothing without --checkpoints", "Name the checkpoint file too.");
        }

        return new()
        {
            ChainKeys = chain,
            AllowUnkeyed = allowUnkeyed,
            Checkpoint = checkpointFile is null ? null : await CheckpointAsync(checkpointFile, ct).ConfigureAwait(false),
            CheckpointKey = checkpointKey is not null ? await AuditKeys.ReadAsync("--checkpoint-key-secret", checkpointKey, ct).ConfigureAwait(false)
                : chain.Count > 0 ? chain[0] : default,
        };
    }

    private static async Task<AuditCheckpoint> CheckpointAsync(string file, CancellationToken ct)
    {
        byte[] bytes = new byte[AuditCheckpoint.MaxBytes + 1];
        int length;
        FileStream stream = File.OpenRead(file);
        await using (stream.ConfigureAwait(false))
        {
            length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        }

        return AuditCheckpoint.TryParse(bytes.AsSpan(0, length), out AuditCheckpoint? checkpoint) ? checkpoint!
            : throw new CommandFault($"{file} holds no checkpoint", "Name the file that the policy calls audit.checkpoints, or a copy of it.");
    }

    private static async Task<AuditVerification> VerifyAsync(string folder, AuditVerifierOptions options, CancellationToken ct)
    {
        AuditVerification found = AuditVerifier.Verify(folder, options, ct);
        for (int attempt = 1; found.Verdict == AuditVerdict.Torn && attempt < TornAttempts; attempt++)
        {
            await Task.Delay(TornPatience, TimeProvider.System, ct).ConfigureAwait(false);
            found = AuditVerifier.Verify(folder, options, ct);
        }

        return found;
    }

    private static string NextStep(AuditVerification found, AuditVerifierOptions options) => found.Verdict switch
    {
        AuditVerdict.Valid when options.Checkpoint is null =>
            "Without --checkpoints the end is not proved: a log whose last records were cut off, or that was put back from an older copy, looks like this too.",
        AuditVerdict.Valid when found.Checkpoint == AuditCheckpointState.TooOld => "The checkpoint is older than what retention has left: it proves nothing any more. Use a newer one.",
        AuditVerdict.Valid when options.ChainKeys.Count == 0 => "The chain has no key here: who can write the folder can compute it anew up to the checkpoint. See \"audit\": { \"key\" } in docs/policy.md.",
        AuditVerdict.Valid => string.Empty,
        AuditVerdict.Torn =>
            "This is what a crash in the middle of a write leaves. The next start of the guard sets the piece aside and records it; every record before it is in order. "
            + (options.Checkpoint is null ? "Compare with --checkpoints: a hand that cut the log can leave the same." : string.Empty),
        AuditVerdict.Tampered when found.Checkpoint == AuditCheckpointState.NotAuthentic => "Give the key that the checkpoint was made with (--checkpoint-key-secret), or look for who replaced the file.",
        AuditVerdict.Tampered =>
            "Copy the whole folder before anything else writes to it. Records before the first bad one are in order; nothing behind it is proved. Compare with a copy or with what was exported.",
        AuditVerdict.Empty => "Name the folder that the policy calls audit.directory; it holds files like audit-00000001-20261124.jsonl.",
        _ when found.Records > 0 => "Give the key of the chain: --key-secret NAME, where the environment variable NAME holds it in base64.",
        _ => "Run the command as the user that owns the log, and see that every audit-*.jsonl is a regular file.",
    };

    private static void Write(CommandTerminal terminal, string folder, AuditVerification found, string next)
    {
        Tone tone = found.Verdict switch
        {
            AuditVerdict.Valid => Tone.Good,
            AuditVerdict.Torn or AuditVerdict.Unverifiable or AuditVerdict.Empty => Tone.Caution,
            _ => Tone.Bad,
        };
        terminal.Line($"{VerdictWord(found.Verdict)}: {found.Message}", tone);
        terminal.Line($"  folder      {folder}");
        if (found.Records > 0)
        {
            terminal.Line(string.Create(
                CultureInfo.InvariantCulture, $"  in order    {found.Records} records, {found.FirstSequence} to {found.LastSequence}, in {found.Segments} segment{(found.Segments == 1 ? string.Empty : "s")}"));
        }

        if (found.BadFile is not null)
        {
            terminal.Line($"  file        {found.BadFile}", tone);
        }

        if (found.BadLine > 0)
        {
            terminal.Line(
                string.Create(CultureInfo.InvariantCulture, $"  first bad   line {found.BadLine}, byte {found.BadOffset}, where record {ExpectedSequence(found)} belongs"), tone);
        }

        if (found.Checkpoint != AuditCheckpointState.NotGiven)
        {
            terminal.Line($"  checkpoint  {CheckpointWord(found.Checkpoint)}");
        }

        if (found.DamageRecords > 0)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"  damage      the log itself recorded damage {found.DamageRecords} times at a start (audit show shows it)"), Tone.Caution);
        }

        if (found.ClockSteps > 0)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"  clock       went back {found.ClockSteps} times; order is by number, this is no fault"));
        }

        if (next.Length > 0)
        {
            terminal.Line();
            terminal.Line(next.TrimEnd());
        }
    }

    private static long ExpectedSequence(AuditVerification found) => found.Records > 0 ? found.LastSequence + 1 : 1;

    private static void WriteJson(Utf8JsonWriter json, string folder, AuditVerification found, string next)
    {
        json.WriteString("verdict", VerdictWord(found.Verdict));
        json.WriteString("message", found.Message);
        json.WriteString("folder", folder);
        json.WriteNumber("records", found.Records);
        json.WriteNumber("segments", found.Segments);
        json.WriteNumber("firstSequence", found.FirstSequence);
        json.WriteNumber("lastSequence", found.LastSequence);
        json.WriteString("head", found.Head);
        json.WriteString("log", found.LogId);
        if (found.BadFile is not null)
        {
            json.WriteStartObject("firstBad");
            json.WriteString("file", found.BadFile);
            json.WriteNumber("line", found.BadLine);
            json.WriteNumber("offset", found.BadOffset);
            json.WriteNumber("sequence", ExpectedSequence(found));
            json.WriteEndObject();
        }

        json.WriteString("checkpoint", CheckpointWord(found.Checkpoint));
        json.WriteNumber("damageRecords", found.DamageRecords);
        json.WriteNumber("clockSteps", found.ClockSteps);
        json.WriteString("next", next.TrimEnd());
    }

    private static string VerdictWord(AuditVerdict verdict) => verdict switch
    {
        AuditVerdict.Valid => "valid",
        AuditVerdict.Torn => "torn",
        AuditVerdict.Tampered => "tampered",
        AuditVerdict.Empty => "empty",
        _ => "unverifiable",
    };

    private static string CheckpointWord(AuditCheckpointState state) => state switch
    {
        AuditCheckpointState.NotGiven => "none given",
        AuditCheckpointState.Matched => "matches: nothing before it was cut, rolled back or made anew",
        AuditCheckpointState.LogIsShorter => "the log ends before it",
        AuditCheckpointState.LogDiffers => "another log, or another record under its number",
        AuditCheckpointState.NotAuthentic => "not signed with the given key",
        AuditCheckpointState.TooOld => "too old: retention has deleted its record",
        _ => "not reached",
    };
}
