namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>An immutable hash table from names (UTF-8) to their position in the order given.</summary>
internal sealed class NameTable
{
    private readonly int[] _slots;
    private readonly int[] _hashes;
    private readonly byte[][] _names;
    private readonly int _mask;
    private readonly int _longest;
    private readonly bool _arePlain = true;

    /// <param name="names">The names, each once.</param>
    public NameTable(byte[][] names)
    {
        _names = names;
        _hashes = new int[names.Length];
        int size = 4;
        while (size < names.Length * 2)
        {
            size *= 2;
        }

        _mask = size - 1;
        _slots = new int[size];
        for (int i = 0; i < names.Length; i++)
        {
            _longest = Math.Max(_longest, names[i].Length);
            _arePlain &= StrictJsonParser.EndOfPlain(names[i], 0) == names[i].Length;
            int hash = NameHash.Of(names[i]);
            _hashes[i] = hash;
            int slot = hash & _mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & _mask;
            }

            _slots[slot] = i + 1;
        }
    }

    public int Count => _names.Length;

    public ReadOnlySpan<byte> this[int index] => _names[index];

    /// <summary>Whether a text begins with the name at a position and its closing quote, both written without escapes.</summary>
    public bool IsQuotedAt(ReadOnlySpan<byte> text, int index)
    {
        if (!_arePlain || (uint)index >= (uint)_names.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> name = _names[index];
        return text.Length > name.Length && text[name.Length] == (byte)'"' && text.StartsWith(name);
    }

    /// <summary>The position of a name, or -1.</summary>
    public int Find(ReadOnlySpan<byte> name, int hash)
    {
        int[] slots = _slots;
        int slot = hash & _mask;
        while ((uint)slot < (uint)slots.Length)
        {
            int index = slots[slot] - 1;
            if (index < 0)
            {
                return -1;
            }

            if (_hashes[index] == hash && name.SequenceEqual(_names[index]))
            {
                return index;
            }

            slot = (slot + 1) & _mask;
        }

        return -1;
    }

    /// <summary>The same without a hash at hand. A text longer than every name is not read: it may be far longer.</summary>
    public int Find(ReadOnlySpan<byte> name) => name.Length > _longest ? -1 : Find(name, NameHash.Of(name));
}
