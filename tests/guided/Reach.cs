using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace Mcp.Guard.Tests.Fuzz;

/// <summary>The branches of the instrumented library that a run took, and those that any run took before. Made before the library's first line runs, which writes into it.</summary>
internal sealed unsafe class Reach
{
    /// <summary>What SharpFuzz's instrumentation addresses.</summary>
    private const int MapBytes = 1 << 16;

    private readonly byte* _map = (byte*)NativeMemory.AllocZeroed(MapBytes);
    private readonly byte[] _seen = new byte[MapBytes];

    public Reach() => Trace.SharedMem = _map;

    /// <summary>Branches seen so far.</summary>
    public int Branches { get; private set; }

    public void Begin()
    {
        new Span<byte>(_map, MapBytes).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>A new target is compared with nothing that others reached.</summary>
    public void Forget()
    {
        Array.Clear(_seen);
        Branches = 0;
    }

    /// <summary>Whether the run took a branch that none took before, or took one much more often.</summary>
    public bool IsNew()
    {
        bool isNew = false;
        var taken = new ReadOnlySpan<byte>(_map, MapBytes);
        for (int at = taken.IndexOfAnyExcept((byte)0); at >= 0;)
        {
            byte often = taken[at] switch { 1 => 1, 2 => 2, 3 => 4, < 8 => 8, < 16 => 16, < 32 => 32, < 128 => 64, _ => 128 };
            if ((_seen[at] & often) == 0)
            {
                Branches += _seen[at] == 0 ? 1 : 0;
                _seen[at] |= often;
                isNew = true;
            }

            int next = taken[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return isNew;
    }
}
