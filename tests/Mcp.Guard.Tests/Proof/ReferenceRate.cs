namespace Mcp.Guard.Tests.Proof;

/// <summary>A bucket that fills evenly (docs/limits.md), in whole numbers: a permit is <c>per</c> ticks of credit, and each tick adds <c>permits</c>.</summary>
internal sealed class ReferenceRate(RateModel rate, TimeSpan start)
{
    private readonly Int128 _full = (Int128)(rate.Burst ?? rate.Permits) * rate.Per.Ticks;
    private Int128 _credit = (Int128)(rate.Burst ?? rate.Permits) * rate.Per.Ticks;
    private TimeSpan _at = start;

    public bool Admits(TimeSpan now)
    {
        _credit = Int128.Min(_full, _credit + ((Int128)(now - _at).Ticks * rate.Permits));
        _at = now;
        return _credit >= rate.Per.Ticks;
    }

    public void Take() => _credit -= rate.Per.Ticks;
}
