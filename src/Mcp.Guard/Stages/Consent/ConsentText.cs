using System.Globalization;
using System.Text;

namespace Mcp.Guard.Stages.Consent;

/// <summary>The words of a prompt, for providers that show plain text. What the guard says comes first; what others say is quoted and labelled.</summary>
internal static class ConsentText
{
    /// <summary>The whole prompt but the choices; lines end in a line feed.</summary>
    public static string Of(ConsentRequest request)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Allow {(string.Equals(request.Method, "tools/call", StringComparison.Ordinal) ? "tool" : request.Method)} '{request.ToolName}' of server '{request.ServerId}'?\n");
        if (request.MergedCalls > 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"  This is asked for {request.MergedCalls} identical calls.\n");
        }

        text.Append(request.IsDestructive ? "  It may destroy or overwrite." : "  It counts as not destructive.");
        text.Append(request.IsOpenWorld ? " It may reach other systems.\n" : "\n");
        foreach (string reason in request.Reasons)
        {
            text.Append(CultureInfo.InvariantCulture, $"  Asked because: {reason}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"  On behalf of: {ConsentDisplay.Name(request.Caller.UserId)}\n");
        bool isResult = request.Method.EndsWith(ResultConsentSubject.MethodSuffix, StringComparison.Ordinal);
        text.Append(isResult ? "  The result, as it would be delivered:\n" : "  Arguments, as they will be sent:\n").Append(Indented(request.ArgumentsForDisplay));
        if (request.IsCut)
        {
            text.Append(isResult ? "  Some of the result is not shown.\n" : "  Something is not shown. Only this one call can be allowed.\n");
        }

        Changes(text, request);

        Quoted(text, "The server calls it", request.ServerSuppliedTitle);
        Quoted(text, "The server says of it", request.ServerSuppliedDescription);
        Quoted(text, "The model says why", request.ModelSuppliedIntent);
        return text.ToString();
    }

    /// <summary>The offered answers with the words by which a person gives them, "no" first.</summary>
    public static IReadOnlyList<(ConsentAnswerKind Kind, string Word, string Label)> Choices(ConsentRequest request)
    {
        var choices = new List<(ConsentAnswerKind Kind, string Word, string Label)> { (ConsentAnswerKind.Deny, "no", "No") };
        Add(ConsentScopes.Once, ConsentAnswerKind.AllowOnce, "once", "Yes, this once");
        Add(ConsentScopes.TheseArguments, ConsentAnswerKind.AllowTheseArguments, "same", "Yes, with exactly these arguments, in this session");
        Add(ConsentScopes.Tool, ConsentAnswerKind.AllowTool, "tool", request.Changes.Count > 0
            ? "Yes, the tool as it is now, with any permitted arguments, in this session"
            : "Yes, this tool with any permitted arguments, in this session");
        Add(ConsentScopes.Never, ConsentAnswerKind.Never, "never", "No, and never ask again");
        return choices;

        void Add(ConsentScopes scope, ConsentAnswerKind kind, string word, string label)
        {
            if ((request.Offered & scope) != 0)
            {
                choices.Add((kind, word, label));
            }
        }
    }

    /// <summary>The answer for a word; everything that is not exactly an offered word is "no".</summary>
    public static ConsentAnswer Answer(ConsentRequest request, string? word)
    {
        foreach ((ConsentAnswerKind kind, string offered, _) in Choices(request))
        {
            if (string.Equals(word, offered, StringComparison.Ordinal))
            {
                return kind switch
                {
                    ConsentAnswerKind.AllowOnce => ConsentAnswer.AllowOnce(request),
                    ConsentAnswerKind.AllowTheseArguments => ConsentAnswer.AllowTheseArguments(request),
                    ConsentAnswerKind.AllowTool => ConsentAnswer.AllowTool(request),
                    ConsentAnswerKind.Never => ConsentAnswer.Never(request),
                    _ => ConsentAnswer.Deny(request),
                };
            }
        }

        return ConsentAnswer.Deny(request);
    }

    /// <summary>What was approved and what is offered now, under each other at the same indent.</summary>
    private static void Changes(StringBuilder text, ConsentRequest request)
    {
        if (request.Changes.Count == 0)
        {
            return;
        }

        text.Append("  The tool is not as it was approved:\n");
        foreach (ToolChange change in request.Changes)
        {
            text.Append(CultureInfo.InvariantCulture, $"    {(change.Location.Length == 0 ? "the whole definition" : change.Location)}\n");
            text.Append(CultureInfo.InvariantCulture, $"      was: {InLine(change.Before)}\n");
            text.Append(CultureInfo.InvariantCulture, $"      now: {InLine(change.After)}\n");
        }

        if (request.OmittedChanges > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    and {request.OmittedChanges} more differences\n");
        }
    }

    private static string InLine(string? shown) => shown is null ? "(nothing)" : shown.Replace("\n", "\n           ", StringComparison.Ordinal);

    private static string Indented(string text) => $"    {text.Replace("\n", "\n    ", StringComparison.Ordinal)}\n";

    private static void Quoted(StringBuilder text, string label, string? quoted)
    {
        if (quoted is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {label}: {quoted}\n");
        }
    }
}
