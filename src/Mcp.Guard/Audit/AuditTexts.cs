using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Audit;

/// <summary>
/// Takes credentials out of the texts of a record, whatever the policy says of arguments and results: the model's words, the name of what it asked for, reasons
/// that quote a server, and the names of people, in whose place hosts put tokens.
/// </summary>
internal static class AuditTexts
{
    /// <summary>What is looked at, and kept, of a longer text.</summary>
    private const int MaxLooked = 64 * 1024;

    /// <summary>No credential that can be told from a word is shorter.</summary>
    private const int MinChars = 12;

    /// <summary>Longer texts are looked at each time.</summary>
    private const int MaxKept = 256;

    // What was seen to hold no credential is compared, not searched again. A place holds the last text that came to it, so that made-up texts cost time and no
    // memory; strings do not change, so readers need no lock.
    private static readonly string?[] Clean = new string?[256];

    private static readonly SearchValues<char> PlainId = SearchValues.Create("0123456789abcdef-");

    /// <summary>The record without credentials in its texts; the same one where it holds none.</summary>
    public static AuditRecord Redact(AuditRecord record)
    {
        string? user = RedactRepeated(record.UserId);
        string? session = RedactRepeated(record.SessionId);
        string? target = IsListedTool(record) ? record.Target : Redact(record.Target);
        string? intent = Bound(Redact(record.Intent));
        string? reason = RedactRepeated(record.Reason);
        string? answeredBy = RedactRepeated(record.AnsweredBy);
        return ReferenceEquals(user, record.UserId) && ReferenceEquals(session, record.SessionId) && ReferenceEquals(target, record.Target)
            && ReferenceEquals(intent, record.Intent) && ReferenceEquals(reason, record.Reason) && ReferenceEquals(answeredBy, record.AnsweredBy)
            ? record
            : record.WithTexts(user, session, target, intent, reason, answeredBy);
    }

    /// <summary>The name of a tool that its server lists was shown to the model before; what a caller asks for otherwise may be anything.</summary>
    private static bool IsListedTool(AuditRecord record) =>
        record.Kind is AuditKind.Intent or AuditKind.Outcome or AuditKind.Denial or AuditKind.Consent
        && string.Equals(record.Method, MethodTable.ToolsCall, StringComparison.Ordinal)
        && (record.Fingerprint is not null || record.Kind == AuditKind.Outcome);

    private static bool MayHold([NotNullWhen(true)] string? text) => text is not null && text.Length >= MinChars && text.AsSpan().ContainsAnyExcept(PlainId);

    // The cut to what a record keeps comes later, so that a credential at that place is seen whole.
    private static string? Redact(string? text) => MayHold(text) ? SecretRedactor.Default.RedactBeginning(text, MaxLooked) : text;

    /// <summary>The same for people and reasons, which stand in record after record.</summary>
    private static string? RedactRepeated(string? text)
    {
        if (!MayHold(text) || text.Length > MaxKept)
        {
            return Redact(text);
        }

        ref string? kept = ref Clean[(uint)text.GetHashCode(StringComparison.Ordinal) % (uint)Clean.Length];
        if (string.Equals(Volatile.Read(ref kept), text, StringComparison.Ordinal))
        {
            return text;
        }

        string? redacted = Redact(text);
        if (ReferenceEquals(redacted, text))
        {
            Volatile.Write(ref kept, text);
        }

        return redacted;
    }

    private static string? Bound(string? intent) => intent is { Length: > MessageLimits.MaxIntentLength } ? intent[..MessageLimits.MaxIntentLength] : intent;
}
