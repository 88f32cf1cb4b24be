using Mcp.Guard.Pipeline;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace Mcp.Guard.Tests.Pipeline;

public sealed class DecisionIdsTests
{
    [Test]
    public void Next_ManyThreads_GivesDistinctVersion7IdsOfTheMoment()
    {
        var now = new DateTimeOffset(2026, 11, 24, 12, 0, 0, 123, TimeSpan.Zero);
        var time = new FakeTimeProvider(now);
        string[] ids = [.. Enumerable.Range(0, 4_000).AsParallel().WithDegreeOfParallelism(4).Select(_ => DecisionIds.Next(time))];
        Assert.Multiple(() =>
        {
            Assert.That(ids.Distinct(StringComparer.Ordinal).Count(), Is.EqualTo(ids.Length));
            Assert.That(ids.Select(id => Guid.ParseExact(id, "D").Version), Has.All.EqualTo(7));
            Assert.That(ids.Select(id => Guid.ParseExact(id, "D").Variant & 0xC), Has.All.EqualTo(8));
            Assert.That(ids.Select(id => Convert.ToInt64(id[..8] + id[9..13], 16)), Has.All.EqualTo(now.ToUnixTimeMilliseconds()));
        });
    }

    [Test]
    public void Next_LaterMoment_SortsBehind()
    {
        var time = new FakeTimeProvider();
        string before = DecisionIds.Next(time);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(string.CompareOrdinal(DecisionIds.Next(time), before), Is.Positive);
    }
}
