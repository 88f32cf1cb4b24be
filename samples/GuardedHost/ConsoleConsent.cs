using Mcp.Guard;

namespace GuardedHost;

/// <summary>Asks on the console. This is all that a host must write to ask people.</summary>
internal sealed class ConsoleConsent(Screen screen, IPerson person) : IConsentProvider
{
    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        screen.Ask($"Allow tool '{request.ToolName}' of server '{request.ServerId}'?", request.ArgumentsForDisplay);
        screen.Ask($"why it asks: {string.Join("; ", request.Reasons)}", $"why the model chose it (its words): {request.ModelSuppliedIntent ?? "not said"}");
        return new(person.SaysYes() ? ConsentAnswer.AllowOnce(request) : ConsentAnswer.Deny(request));
    }
}
