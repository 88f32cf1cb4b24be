using System.Buffers;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Tests.Json;

/// <summary>Watches memory that is borrowed from the pool of the process: a thread gets the array next that it gave back last.</summary>
internal static class PoolProbe
{
    /// <summary>True where the borrowed array came back to the pool with its first <paramref name="used"/> items empty. It is lent out full, so that one nobody borrowed is not taken for an emptied one.</summary>
    public static bool ComesBackEmpty<T>(int length, int used, Action use)
        where T : unmanaged
    {
        // The pool drops arrays where memory is short: then another is watched.
        for (int i = 0; i < 5; i++)
        {
            T[] lent = ArrayPool<T>.Shared.Rent(length);
            MemoryMarshal.AsBytes(lent.AsSpan()).Fill(0xA5);
            ArrayPool<T>.Shared.Return(lent);
            use();
            T[] next = ArrayPool<T>.Shared.Rent(length);
            bool isBack = ReferenceEquals(lent, next);
            bool isEmpty = !MemoryMarshal.AsBytes(lent.AsSpan(0, used)).ContainsAnyExcept((byte)0);
            ArrayPool<T>.Shared.Return(next, clearArray: true);
            if (isBack && isEmpty)
            {
                return true;
            }
        }

        return false;
    }
}
