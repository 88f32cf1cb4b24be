namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A provider as a host author writes one, in under 15 lines.</summary>
internal sealed class TinyConsoleProvider(TextReader input, TextWriter output) : IConsentProvider
{
    public async ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        await output.WriteLineAsync($"Allow '{request.ToolName}' of '{request.ServerId}'? {string.Join("; ", request.Reasons)}\n{request.ArgumentsForDisplay}");
        return await input.ReadLineAsync(ct) == "yes" ? ConsentAnswer.AllowOnce(request) : ConsentAnswer.Deny(request);
    }
}
