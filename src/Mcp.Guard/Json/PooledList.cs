using System.Buffers;

namespace Mcp.Guard.Json;

/// <summary>A list that starts in memory of its caller (usually the stack) and moves to pooled memory when that is full.</summary>
internal ref struct PooledList<T>(Span<T> initial)
    where T : unmanaged
{
    private Span<T> _items = initial;
    private T[]? _rented;

    public int Count { get; private set; }

    public readonly ref T this[int index] => ref _items[..Count][index];

    public readonly ReadOnlySpan<T> Written => _items[..Count];

    public void Add(in T item)
    {
        if (Count == _items.Length)
        {
            Grow(1);
        }

        _items[Count++] = item;
    }

    /// <summary>Room for <paramref name="length"/> more items, counted as written; <see cref="Truncate"/> gives back what was not used.</summary>
    public Span<T> Reserve(int length)
    {
        if (_items.Length - Count < length)
        {
            Grow(length);
        }

        Span<T> room = _items.Slice(Count, length);
        Count += length;
        return room;
    }

    public readonly Span<T> Slice(int start, int length) => _items[..Count].Slice(start, length);

    public void Truncate(int count) => Count = Math.Min(Count, count);

    public void Dispose()
    {
        if (_rented is not null)
        {
            // Arguments may hold secrets; the pool is shared by the whole process.
            _items[..Count].Clear();
            ArrayPool<T>.Shared.Return(_rented);
            _rented = null;
        }

        _items = default;
        Count = 0;
    }

    private void Grow(int more)
    {
        int wanted = (int)Math.Min(Math.Max((long)_items.Length * 2, (long)Count + more), Array.MaxLength);
        T[] larger = ArrayPool<T>.Shared.Rent(wanted);
        _items[..Count].CopyTo(larger);
        if (_rented is not null)
        {
            _rented.AsSpan(0, Count).Clear();
            ArrayPool<T>.Shared.Return(_rented);
        }

        _rented = larger;
        _items = larger;
    }
}
