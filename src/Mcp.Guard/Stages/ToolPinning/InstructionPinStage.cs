using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// The <c>instructions</c> that a server gives for the model's prompt (<c>initialize</c>, <c>server/discover</c>): what is not the remembered text is left out
/// until a person approves it. It runs before the texts are cleaned: an invisible change counts.
/// </summary>
internal sealed class InstructionPinStage : IGuardStage<ResultContext>
{
    public string Name => "instruction-pins";

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct) =>
        !context.IsError && context.Method is MethodTable.Initialize or MethodTable.Discover ? JudgeAsync(context, ct) : new(GuardDecision.Continue);

    private static async ValueTask<GuardDecision> JudgeAsync(ResultContext context, CancellationToken ct)
    {
        ConnectionState connection = context.Call.Connection;
        if (context.Call.Settings is not { } settings)
        {
            return GuardDecision.Deny(GuardDenialCodes.ServerNotAllowed, "the policy no longer names the server");
        }

        string? instructions = context.Current.TryGetProperty("instructions"u8, out JsonElement value)
            ? value.ValueKind == JsonValueKind.String ? JsonText.GetString(value) : value.ValueKind == JsonValueKind.Null ? null : value.GetRawText()
            : null;
        PinRegister pins = connection.Runtime.Pins;
        if (await pins.AreInstructionsKnownAsync(connection.Server, settings, instructions, ct).ConfigureAwait(false))
        {
            connection.Runtime.Reviews.Forget(connection.ServerKey, PinRegister.InstructionsKey);
            return GuardDecision.Continue;
        }

        bool byPolicy = settings.Pins.Count > 0;
        string? before = byPolicy ? null
            : (await pins.ReadAsync(connection.Server, ct).ConfigureAwait(false)).Tools.TryGetValue(PinRegister.InstructionsKey, out ToolPin? pin) ? pin.Definition : null;
        connection.Runtime.Reviews.TakeInstructions(connection, byPolicy, instructions!, before);
        return GuardDecision.Replace(JsonMembers.Without(context.Current, "instructions"u8), "instructions-changed", "the instructions are not the pinned ones");
    }
}
