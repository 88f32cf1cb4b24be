using System.Text.Json;

namespace Mcp.Guard.Hosting;

/// <summary>What the guard made of an <c>input_required</c> result.</summary>
internal sealed record InputRequestReview(GuardDenial? Denial, JsonElement Payload, IReadOnlyDictionary<string, string> Admitted, string? RequestState);
