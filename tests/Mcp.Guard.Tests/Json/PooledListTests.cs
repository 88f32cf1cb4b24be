using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class PooledListTests
{
    [TestCase(1)]
    [TestCase(4)]
    [TestCase(5)]
    [TestCase(9)]
    [TestCase(1000)]
    public void Reserve_AnyLength_KeepsWhatWasThere(int length)
    {
        var list = new PooledList<int>(stackalloc int[4]);
        for (int i = 0; i < 3; i++)
        {
            list.Add(i);
        }

        list.Reserve(length).Fill(7);
        Assert.That(list.Written.ToArray(), Is.EqualTo((int[])[0, 1, 2, .. Enumerable.Repeat(7, length)]));
        list.Dispose();
        Assert.That(list.Count, Is.Zero);
    }

    [TestCase(0, 0)]
    [TestCase(2, 2)]
    [TestCase(3, 3)]
    [TestCase(4, 3)]
    public void Truncate_Count_NeverAddsItems(int count, int expected)
    {
        var list = new PooledList<int>(stackalloc int[8]);
        list.Reserve(3);
        list.Truncate(count);
        Assert.That(list.Count, Is.EqualTo(expected));
    }
}
