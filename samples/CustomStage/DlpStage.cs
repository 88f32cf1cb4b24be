using System.Text.Json;
using Mcp.Guard;

namespace CustomStage;

/// <summary>
/// Keeps marked text in, hides customer numbers in both directions, and asks about long texts. One object serves all calls at the same time, so it holds no state; what it does
/// not decide in five seconds, or answers with an exception or <c>default</c>, denies.
/// </summary>
internal sealed class DlpStage : IGuardStage<GuardRequestContext>, IGuardStage<GuardResultContext>
{
    public string Name => "acme-dlp";

    public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct)
    {
        if (context.Method != "tools/call" || context.Arguments.ValueKind != JsonValueKind.Object)
        {
            return new(GuardDecision.Continue);
        }

        string arguments = context.Arguments.GetRawText();
        if (arguments.Contains("make the stage fail", StringComparison.Ordinal))
        {
            throw new InvalidOperationException("the classification service is down");
        }

        if (arguments.Contains("CONFIDENTIAL", StringComparison.Ordinal))
        {
            // The reason is for the audit; the model reads the other text.
            return new(GuardDecision.Deny("acme-dlp", "the arguments hold text that is marked confidential", "The text must stay in the house."));
        }

        if (CustomerNumbers.Hide(context.Payload) is { } hidden)
        {
            return new(GuardDecision.Replace(hidden, "acme-dlp-customer", "customer numbers were hidden"));
        }

        return new(arguments.Length > 1_000 ? GuardDecision.AskConsent("acme-dlp-long", "the text is longer than 1,000 characters") : GuardDecision.Continue);
    }

    public ValueTask<GuardDecision> EvaluateAsync(GuardResultContext context, CancellationToken ct) =>
        new(context.Method == "tools/call" && CustomerNumbers.Hide(context.Payload) is { } hidden
            ? GuardDecision.Replace(hidden, "acme-dlp-customer", "customer numbers were hidden")
            : GuardDecision.Continue);
}
