using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.Concurrency;

/// <summary>How many calls run for each caller, over all servers. Callers are spread over stripes with a lock each, so that they do not wait for one another.</summary>
internal sealed class CallerSlots
{
    private const int StripeCount = 64;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, StripeCount).Select(static _ => new Stripe())];

    /// <summary>
    /// Counts a call of the caller where fewer than so many run and the server has a slot for it. Both are taken at once: a parallel call never sees a count that is
    /// given back in the next moment.
    /// </summary>
    public bool TryEnter(GuardCaller caller, int limit, ServerSlots server, int serverLimit)
    {
        Stripe stripe = StripeOf(caller);
        lock (stripe.Gate)
        {
            ref int running = ref CollectionsMarshal.GetValueRefOrAddDefault(stripe.Running, caller, out bool runs);
            if (running < limit && server.TryEnter(serverLimit))
            {
                running++;
                return true;
            }

            if (!runs)
            {
                stripe.Running.Remove(caller);
            }

            return false;
        }
    }

    public void Leave(GuardCaller caller)
    {
        Stripe stripe = StripeOf(caller);
        lock (stripe.Gate)
        {
            ref int running = ref CollectionsMarshal.GetValueRefOrNullRef(stripe.Running, caller);
            if (--running == 0)
            {
                stripe.Running.Remove(caller);
            }
        }
    }

    private Stripe StripeOf(GuardCaller caller) => _stripes[(uint)SameUser.Instance.GetHashCode(caller) % StripeCount];

    private sealed class Stripe
    {
        public Lock Gate { get; } = new();

        public Dictionary<GuardCaller, int> Running { get; } = new(SameUser.Instance);
    }
}
