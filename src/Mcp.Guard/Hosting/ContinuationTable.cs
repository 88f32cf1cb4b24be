using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Binds a retry to what the guard saw: the SDK resends a call after <c>input_required</c> with a new id, and so could anybody else. Each entry admits one
/// retry. Bounded; the oldest leaves.
/// </summary>
internal sealed class ContinuationTable
{
    private const int Capacity = 256;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly LinkedList<Continuation> _waiting = [];

    /// <summary>Entries that wait for their retry.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Whether a request says that it continues another.</summary>
    public static bool IsContinuation(RequestPayload payload) => payload.Has("inputResponses"u8) || payload.Has("requestState"u8);

    /// <summary>Remembers what may be answered; a denial where the call has asked too often.</summary>
    public GuardDenial? Add(RequestContext call, InputRequestReview review, DateTimeOffset now)
    {
        int round = (call.Continues?.Round ?? 0) + 1;
        if (round > MessageLimits.MaxContinuationRounds)
        {
            return new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.Methods, $"the call asked back more than {MessageLimits.MaxContinuationRounds} times");
        }

        if (call.ArgumentsDigestOrNull is not { } digest)
        {
            return new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.Methods, "the arguments of the call have no canonical form that a retry could be held to");
        }

        var entry = new Continuation
        {
            Caller = call.Caller,
            Method = call.Method,
            Target = call.TargetName,
            ArgumentsDigest = digest,
            Fingerprint = call.Entry?.Definition.Fingerprint,
            RequestState = review.RequestState,
            Admitted = review.Admitted,
            Questions = review.Questions,
            Round = round,
            ConsentNote = call.ConsentNote,
            RootDecisionId = call.Continues?.RootDecisionId ?? call.DecisionId,
            Chain = call.Chain,
            ExpiresAt = now + Lifetime,
        };
        if (review.SamplingChain is { } sampling && !call.Connection.Runtime.SamplingInputs.TryAdd(entry, sampling, now))
        {
            return new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "too many sampling requests wait for their answer");
        }

        lock (_gate)
        {
            _waiting.AddLast(entry);
            if (_waiting.Count > Capacity)
            {
                _waiting.RemoveFirst();
            }
        }

        return null;
    }

    /// <summary>Finds and uses up the entry that the retry matches in every part; a retry that matches none is refused.</summary>
    public void Bind(RequestContext retry, DateTimeOffset now)
    {
        JsonElement payload = retry.Current;
        string? state = null;
        if (payload.TryGetProperty("requestState"u8, out JsonElement given))
        {
            if (given.ValueKind != JsonValueKind.String)
            {
                Refuse(retry, "requestState is not a text");
                return;
            }

            state = given.GetString();
        }

        bool hasAnswers = payload.TryGetProperty("inputResponses"u8, out JsonElement answers);
        if (hasAnswers && answers.ValueKind != JsonValueKind.Object)
        {
            Refuse(retry, "inputResponses is not an object");
            return;
        }

        Continuation? found = null;
        lock (_gate)
        {
            for (LinkedListNode<Continuation>? node = _waiting.First; node is not null; node = node.Next)
            {
                Continuation entry = node.Value;
                if (entry.ExpiresAt > now
                    && entry.Caller.Equals(retry.Caller)
                    && string.Equals(entry.Method, retry.Method, StringComparison.Ordinal)
                    && string.Equals(entry.Target, retry.TargetName, StringComparison.Ordinal)
                    && string.Equals(entry.ArgumentsDigest, retry.ArgumentsDigestOrNull, StringComparison.Ordinal)
                    && string.Equals(entry.RequestState, state, StringComparison.Ordinal)
                    && AnswersOnlyAdmitted(entry, hasAnswers, answers))
                {
                    _waiting.Remove(node);
                    found = entry;
                    break;
                }
            }
        }

        if (found is null)
        {
            Refuse(retry, "a continuation of no open call: another caller, name, arguments, state or answers than the guard saw");
            return;
        }

        retry.Connection.Runtime.SamplingInputs.Remove(found);
        retry.Continues = found;
        retry.ConsentNote = found.ConsentNote;
        if (hasAnswers && found.Admitted.Values.Contains(MethodTable.Roots, StringComparer.Ordinal))
        {
            retry.SetPayload(WithPolicyRoots(retry, found));
        }
    }

    private static bool AnswersOnlyAdmitted(Continuation entry, bool hasAnswers, JsonElement answers)
    {
        int count = 0;
        if (hasAnswers)
        {
            foreach (JsonProperty answer in answers.EnumerateObject())
            {
                if (!entry.Admitted.ContainsKey(answer.Name))
                {
                    return false;
                }

                count++;
            }
        }

        return count == entry.Admitted.Count;
    }

    /// <summary>Whatever handler the host has: a server learns the policy's roots only.</summary>
    private static JsonElement WithPolicyRoots(RequestContext retry, Continuation entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in retry.Current.EnumerateObject())
            {
                if (!member.NameEquals("inputResponses"u8))
                {
                    member.WriteTo(writer);
                    continue;
                }

                writer.WriteStartObject("inputResponses"u8);
                foreach (JsonProperty answer in member.Value.EnumerateObject())
                {
                    writer.WritePropertyName(answer.Name);
                    if (string.Equals(entry.Admitted[answer.Name], MethodTable.Roots, StringComparison.Ordinal))
                    {
                        ServerAnswers.RootsResult(retry.Settings).WriteTo(writer);
                    }
                    else
                    {
                        answer.Value.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static void Refuse(RequestContext retry, string reason) => retry.Refusal = new GuardDenial(GuardDenialCodes.ContinuationInvalid, GuardStages.Methods, reason);
}
