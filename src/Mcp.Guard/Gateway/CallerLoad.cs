namespace Mcp.Guard.Gateway;

/// <summary>How many requests of each caller the gateway works on: a client that floods is refused, and takes nothing from the others.</summary>
internal sealed class CallerLoad
{
    /// <summary>Requests of one caller that are worked on at the same time.</summary>
    public const int MaxPerCaller = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<GuardCaller, int> _open = [];

    public bool TryEnter(GuardCaller caller)
    {
        lock (_gate)
        {
            _open.TryGetValue(caller, out int open);
            if (open >= MaxPerCaller)
            {
                return false;
            }

            _open[caller] = open + 1;
            return true;
        }
    }

    public void Leave(GuardCaller caller)
    {
        lock (_gate)
        {
            if (_open[caller] == 1)
            {
                _open.Remove(caller);
            }
            else
            {
                _open[caller]--;
            }
        }
    }
}
