using Mcp.Guard.Policy;

namespace Mcp.Guard.Gateway;

/// <summary>What a server may ask a gateway's clients, as the policy says. A connection tells it once, when it is made.</summary>
/// <param name="Sampling">For an answer of a model.</param>
/// <param name="Forms">For an answer of a person.</param>
/// <param name="Addresses">To open an address.</param>
internal readonly record struct ServerQuestions(bool Sampling, bool Forms, bool Addresses)
{
    public static ServerQuestions Of(ServerSettings? settings) => settings is null
        ? default
        : new(settings.Sampling.Allowed, settings.Elicitation is { Allowed: true, Form: true }, settings.Elicitation is { Allowed: true, Url: true });

    /// <summary>Whether something may be asked that could not be before. What may not be asked any more is refused without a new connection.</summary>
    public bool Adds(ServerQuestions before) => (Sampling && !before.Sampling) || (Forms && !before.Forms) || (Addresses && !before.Addresses);
}
