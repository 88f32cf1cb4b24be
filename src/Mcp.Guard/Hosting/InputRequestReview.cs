using System.Text.Json;
using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Hosting;

/// <summary>What the guard made of an <c>input_required</c> result.</summary>
internal sealed record InputRequestReview(GuardDenial? Denial, JsonElement Payload, IReadOnlyDictionary<string, string> Admitted, string? RequestState)
{
    /// <summary>What the calls count against that the host makes while it answers a sampling request of the result; null where it has none.</summary>
    public CallChain? SamplingChain { get; init; }
}
