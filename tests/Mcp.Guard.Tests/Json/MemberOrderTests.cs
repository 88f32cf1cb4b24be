using System.Text;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class MemberOrderTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(23)]
    [TestCase(24)]
    [TestCase(25)]
    [TestCase(26)]
    [TestCase(4096)]
    public void Sort_NamesInTheWorstOrder_TakesFewComparisons(int count)
    {
        var names = new CountedNames([.. Enumerable.Range(0, count).Select(i => Encoding.UTF8.GetBytes($"n{count - i:d5}"))]);
        int[] members = [.. Enumerable.Range(0, count)];
        MemberOrder.Sort(members, names);
        Assert.That(members, Is.EqualTo(Enumerable.Range(0, count).Reverse()));
        Assert.That(names.Asked, Is.LessThanOrEqualTo(Math.Max(24, 4 * Math.Log2(count + 1)) * count), "an object of a server must not cost the square of its members");
    }

    private sealed class CountedNames(byte[][] names) : IMemberNames
    {
        public int Asked { get; private set; }

        public ReadOnlySpan<byte> NameOf(int member)
        {
            Asked++;
            return names[member];
        }
    }
}
