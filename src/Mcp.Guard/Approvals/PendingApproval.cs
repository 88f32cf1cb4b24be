using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Approvals;

/// <summary>A call that a chat client asked a person about: who may answer, until when, and what exactly the answer is for.</summary>
/// <param name="Function">The function that the model called.</param>
/// <param name="Call">The call as it would be judged now; never sent.</param>
/// <param name="Binding">What a grant for it is bound to.</param>
/// <param name="CallId">The model's id of the call.</param>
/// <param name="Asker">The ambient caller when it was asked; null where there was none.</param>
/// <param name="ExpiresAt">The moment after which an answer is none.</param>
internal sealed record PendingApproval(GuardedAIFunction Function, RequestContext Call, ConsentBinding Binding, string CallId, GuardCaller? Asker, DateTimeOffset ExpiresAt);
