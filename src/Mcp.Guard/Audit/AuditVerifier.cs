using System.Globalization;
using System.Security;
using Mcp.Guard.Audit;

namespace Mcp.Guard;

/// <summary>
/// Checks an audit log that lies in files: every hash, every link, the order of records and segments, what retention deleted, and a checkpoint. It streams,
/// uses the same small memory for every size, and never throws on what the files hold.
/// </summary>
public static class AuditVerifier
{
    /// <summary>Checks the log in a folder.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="options">Keys and checkpoint; null for none.</param>
    /// <param name="ct">Ends the check with <see cref="AuditVerdict.Unverifiable"/>.</param>
    public static AuditVerification Verify(string directory, AuditVerifierOptions? options = null, CancellationToken ct = default) =>
        Verify(DiskAuditStorage.Instance, directory, options, ct);

    /// <summary>Checks one segment, or any stream that claims to be one, without the segments around it.</summary>
    /// <param name="stream">The bytes of the segment.</param>
    /// <param name="options">Keys and checkpoint; null for none.</param>
    /// <param name="ct">Ends the check with <see cref="AuditVerdict.Unverifiable"/>.</param>
    public static AuditVerification VerifySegment(Stream stream, AuditVerifierOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        options ??= new();
        try
        {
            var run = new AuditVerifierRun(options);
            if (run.RefuseCheckpoint() is { } refused)
            {
                return refused;
            }

            AuditSegmentState state = run.Walk.Read(stream, name: null, isLast: true, ct);
            run.Segments = 1;
            return run.Walk.GoodLines == 0 && run.Walk.GoodBytes == 0 && stream is { CanSeek: true, Length: 0 }
                ? run.Finish(AuditVerdict.Empty, "the file is empty", null)
                : run.FinishSegments(state, null, requireBeginning: false);
        }
        catch (Exception problem) when (IsExpected(problem))
        {
            return Unverifiable(problem);
        }
    }

    internal static AuditVerification Verify(IAuditStorage storage, string directory, AuditVerifierOptions? options, CancellationToken ct)
    {
        options ??= new();
        try
        {
            var run = new AuditVerifierRun(options);
            if (run.RefuseCheckpoint() is { } refused)
            {
                return refused;
            }

            List<string> names = AuditSegments.Ordered(storage.List(directory));
            AuditSegmentState state = AuditSegmentState.Whole;
            string? name = null;
            for (int i = 0; i < names.Count && state == AuditSegmentState.Whole; i++)
            {
                name = names[i];
                using Stream stream = storage.OpenRead(Path.Combine(directory, name));
                state = run.Walk.Read(stream, name, isLast: i == names.Count - 1, ct);
                run.Segments++;
            }

            return name is null
                ? run.Finish(AuditVerdict.Empty, string.Create(CultureInfo.InvariantCulture, $"there is no segment in the folder"), null)
                : run.FinishSegments(state, name, requireBeginning: true);
        }
        catch (Exception problem) when (IsExpected(problem))
        {
            return Unverifiable(problem);
        }
    }

    private static AuditVerification Unverifiable(Exception problem) => new()
    {
        Verdict = AuditVerdict.Unverifiable,
        Message = problem is OperationCanceledException ? "the check was cancelled" : $"a file cannot be read: {problem.Message}",
    };

    private static bool IsExpected(Exception problem) =>
        problem is IOException or UnauthorizedAccessException or SecurityException or OperationCanceledException
            or NotSupportedException or ObjectDisposedException or ArgumentException or InvalidOperationException;
}
