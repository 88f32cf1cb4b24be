namespace Mcp.Guard.Tests.Proof;

/// <summary>What the person does who is asked.</summary>
internal enum AnswerModel
{
    Deny,
    Once,
    TheseArguments,
    Tool,
    TheseArgumentsForAMinute,
    ToolForAMinute,
    Never,
    Nothing,
    Fails,
    AnswersAnother,
}
