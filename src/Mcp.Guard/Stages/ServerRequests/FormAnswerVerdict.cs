namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>The verdict on an answer to a form. The default refuses.</summary>
/// <param name="Fault">Why it is not sent.</param>
/// <param name="Detail">Where: field names and keywords, never a value.</param>
internal readonly record struct FormAnswerVerdict(FormAnswerFault Fault, string Detail)
{
    /// <summary>Whether the answer may be sent.</summary>
    public bool IsAllowed => Fault == FormAnswerFault.None;
}
