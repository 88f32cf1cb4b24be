using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Hosting;

/// <summary>What the guard made of an <c>input_required</c> result.</summary>
/// <param name="Denial">Why it is refused as a whole; null where it goes on.</param>
/// <param name="Payload">The result as it goes to the host.</param>
/// <param name="Admitted">Key and method of every question.</param>
/// <param name="Questions">Those that the host answers, as they go to it.</param>
/// <param name="RequestState">The server's opaque state.</param>
internal sealed record InputRequestReview(
    GuardDenial? Denial, JsonElement Payload, IReadOnlyDictionary<string, string> Admitted, IReadOnlyDictionary<string, ServerRequestContext> Questions, string? RequestState)
{
    /// <summary>What the calls count against that the host makes while it answers a sampling request of the result; null where it has none.</summary>
    public CallChain? SamplingChain { get; init; }
}
