namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The values of an <c>enum</c> or <c>const</c>, sorted by type so that a test costs one look-up however many there are.</summary>
internal sealed class ValueSet
{
    private readonly SchemaDocument? _document;
    private readonly NameTable? _strings;
    private readonly long[] _small;
    private readonly JsonNumber[] _numbers;
    private readonly int[] _containers;
    private readonly int _simple;

    public const int True = 1;
    public const int False = 2;
    public const int Null = 4;

    private ValueSet(SchemaDocument document, NameTable? strings, long[] small, JsonNumber[] numbers, int[] containers, int simple)
    {
        _document = containers.Length == 0 ? null : document;
        _strings = strings;
        _small = small;
        _numbers = numbers;
        _containers = containers;
        _simple = simple;
    }

    /// <summary>Collects values of one schema document, by token.</summary>
    public static ValueSet Of(SchemaDocument document, ReadOnlySpan<int> values)
    {
        JsonView view = document.View;
        var strings = new List<byte[]>();
        HashSet<string>? seen = null;
        var small = new List<long>();
        var numbers = new List<JsonNumber>();
        var containers = new List<int>();
        int simple = 0;
        foreach (int index in values)
        {
            ref readonly JsonToken token = ref view.Tokens[index];
            switch (token.Type)
            {
                case JsonTypes.Null:
                    simple |= Null;
                    break;
                case JsonTypes.Boolean:
                    simple |= token.IsTrue ? True : False;
                    break;
                case JsonTypes.String:
                    ReadOnlySpan<byte> bytes = view.Bytes(token);
                    if (values.Length == 1 || (seen ??= new HashSet<string>(StringComparer.Ordinal)).Add(System.Text.Encoding.UTF8.GetString(bytes)))
                    {
                        strings.Add(bytes.ToArray());
                    }

                    break;
                case JsonTypes.Array:
                case JsonTypes.Object:
                    containers.Add(index);
                    break;
                default:
                    JsonNumber number = JsonNumber.Parse(view.Bytes(token));
                    if (number.TryGetSmall(out long whole))
                    {
                        small.Add(whole);
                    }
                    else
                    {
                        numbers.Add(number);
                    }

                    break;
            }
        }

        small.Sort();
        numbers.Sort();
        return new ValueSet(
            document,
            strings.Count == 0 ? null : new NameTable([.. strings]),
            [.. small],
            [.. numbers],
            [.. containers],
            simple);
    }

    public bool Contains(in JsonView view, int index, ref int steps)
    {
        ref readonly JsonToken token = ref view.Tokens[index];
        switch (token.Type)
        {
            case JsonTypes.String:
                return _strings is not null && _strings.Find(view.Bytes(token)) >= 0;
            case JsonTypes.Boolean:
                return (_simple & (token.IsTrue ? True : False)) != 0;
            case JsonTypes.Null:
                return (_simple & Null) != 0;
            case JsonTypes.Integer:
            case JsonTypes.Decimal:
                return ContainsNumber(view.Bytes(token), token.Type);
            default:
                return _document is not null && ContainsContainer(view, index, ref steps);
        }
    }

    /// <summary>Whether a member name, read as a string, is in the set.</summary>
    public bool ContainsString(ReadOnlySpan<byte> text) => _strings is not null && _strings.Find(text) >= 0;

    /// <summary>Whether <c>true</c>, <c>false</c> or <c>null</c>, one of the constants above, is in the set.</summary>
    public bool ContainsSimple(int simple) => (_simple & simple) != 0;

    public bool ContainsNumber(ReadOnlySpan<byte> literal, int type)
    {
        if (_small.Length == 0 && _numbers.Length == 0)
        {
            return false;
        }

        if (type == JsonTypes.Integer && JsonNumber.TryParseSmall(literal, out long small))
        {
            return _small.AsSpan().BinarySearch(small) >= 0;
        }

        JsonNumber number = JsonNumber.Parse(literal);
        return number.TryGetSmall(out small)
            ? _small.AsSpan().BinarySearch(small) >= 0
            : _numbers.AsSpan().BinarySearch(number) >= 0;
    }

    private bool ContainsContainer(in JsonView view, int index, ref int steps)
    {
        JsonView ours = _document!.View;
        foreach (int candidate in _containers)
        {
            if (JsonEquality.AreEqual(ours, candidate, view, index, ref steps))
            {
                return true;
            }
        }

        return false;
    }
}
