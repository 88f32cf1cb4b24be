namespace Mcp.Guard.Pipeline;

/// <summary>A slot for one running call. <c>default</c> holds nothing.</summary>
internal readonly struct ConcurrencyLease
{
    private readonly ConcurrencyCounter? _server;
    private readonly ConcurrencyCounter? _caller;
    private readonly string? _refusal;

    private ConcurrencyLease(bool isHeld, ConcurrencyCounter? server, ConcurrencyCounter? caller, string? refusal)
    {
        IsHeld = isHeld;
        _server = server;
        _caller = caller;
        _refusal = refusal;
    }

    /// <summary>For messages that take no slot.</summary>
    public static ConcurrencyLease Uncounted => new(true, null, null, null);

    public bool IsHeld { get; }

    public string Reason => _refusal ?? "no slot was taken";

    public static ConcurrencyLease Hold(ConcurrencyCounter server, ConcurrencyCounter caller) => new(true, server, caller, null);

    public static ConcurrencyLease Refuse(string reason) => new(false, null, null, reason);

    public void Release()
    {
        _server?.Leave();
        _caller?.Leave();
    }
}
