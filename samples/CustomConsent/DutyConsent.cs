using Mcp.Guard;

namespace CustomConsent;

/// <summary>Asks the person on duty. Whatever is not one of the offered answers is a no; so is an exception, and silence until <see cref="ConsentRequest.Deadline"/>.</summary>
internal sealed class DutyConsent(Duty duty) : IConsentProvider
{
    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        duty.Asked++;

        // Name and server first; what the server and the model say last, and marked as theirs. ArgumentsForDisplay is safe to show, Arguments is not.
        Console.WriteLine($"  asked  {duty.Person ?? "nobody"}: may '{request.Caller.UserId}' call '{request.ToolName}' of '{request.ServerId}'? {request.Reasons[0]}");
        Console.WriteLine($"         {request.ArgumentsForDisplay.ReplaceLineEndings(" ")}");
        ConsentAnswer answer = (duty.Person, duty.Says) switch
        {
            (null, _) => ConsentAnswer.Deny(request),
            (_, "once") => ConsentAnswer.AllowOnce(request),
            (_, "these") when request.Offered.HasFlag(ConsentScopes.TheseArguments) => ConsentAnswer.AllowTheseArguments(request),
            (_, "never") => ConsentAnswer.Never(request),
            _ => ConsentAnswer.Deny(request),
        };
        return new(answer.By(duty.Person));
    }
}
