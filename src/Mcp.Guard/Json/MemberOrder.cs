namespace Mcp.Guard.Json;

/// <summary>Puts the members of an object in the order of RFC 8785 section 3.2.3.</summary>
internal static class MemberOrder
{
    // Below this many members the simple sort is the quicker one.
    private const int SmallObject = 24;

    public static void Sort<TNames>(Span<int> members, in TNames names)
        where TNames : IMemberNames, allows ref struct
    {
        if (members.Length <= SmallObject)
        {
            InsertionSort(members, in names);
        }
        else
        {
            HeapSort(members, in names);
        }
    }

    /// <summary>
    /// Orders UTF-8 texts as their UTF-16 code units would be ordered. The orders differ only where a character beyond U+FFFF, whose surrogates start at D800,
    /// meets one from U+E000 to U+FFFF.
    /// </summary>
    internal static int CompareAsUtf16(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        byte l = left[common];
        byte r = right[common];
        bool swapped = (l >= 0xF0 && r is (0xEE or 0xEF)) || (r >= 0xF0 && l is (0xEE or 0xEF));
        return swapped ? r.CompareTo(l) : l.CompareTo(r);
    }

    private static void InsertionSort<TNames>(Span<int> members, in TNames names)
        where TNames : IMemberNames, allows ref struct
    {
        for (int i = 1; i < members.Length; i++)
        {
            int moved = members[i];
            int j = i;
            for (; j > 0 && Compare(in names, members[j - 1], moved) > 0; j--)
            {
                members[j] = members[j - 1];
            }

            members[j] = moved;
        }
    }

    // No input makes this slower than n log n, and it neither recurses nor allocates.
    private static void HeapSort<TNames>(Span<int> members, in TNames names)
        where TNames : IMemberNames, allows ref struct
    {
        for (int root = members.Length / 2 - 1; root >= 0; root--)
        {
            SiftDown(members, root, in names);
        }

        for (int last = members.Length - 1; last > 0; last--)
        {
            (members[0], members[last]) = (members[last], members[0]);
            SiftDown(members[..last], 0, in names);
        }
    }

    private static void SiftDown<TNames>(Span<int> heap, int root, in TNames names)
        where TNames : IMemberNames, allows ref struct
    {
        while (true)
        {
            int child = 2 * root + 1;
            if (child >= heap.Length)
            {
                return;
            }

            if (child + 1 < heap.Length && Compare(in names, heap[child], heap[child + 1]) < 0)
            {
                child++;
            }

            if (Compare(in names, heap[root], heap[child]) >= 0)
            {
                return;
            }

            (heap[root], heap[child]) = (heap[child], heap[root]);
            root = child;
        }
    }

    private static int Compare<TNames>(in TNames names, int left, int right)
        where TNames : IMemberNames, allows ref struct => CompareAsUtf16(names.NameOf(left), names.NameOf(right));
}
