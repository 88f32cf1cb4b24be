using System.Collections;

namespace Mcp.Guard.Tests.Audit;

/// <summary>A list whose elements cannot be read.</summary>
internal sealed class ThrowingList : IReadOnlyList<string>
{
    public int Count => 2;

    public string this[int index] => throw new InvalidOperationException("no element");

    public IEnumerator<string> GetEnumerator() => throw new InvalidOperationException("no elements");

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
