namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// One token of a parsed JSON text, 16 bytes. An object is its own token followed by name, value, name, value; an array is its token
/// followed by its values. <see cref="Link"/> lets a reader step over a container without visiting it.
/// </summary>
internal struct JsonToken
{
    private const int TrueBit = 0x80;
    private const int DecodedBit = 0x100;
    private const int CountShift = 11;

    /// <summary>The most children a container can count; above the largest token limit that options accept.</summary>
    public const int MaxCount = (1 << (31 - CountShift)) - 1;

    /// <summary>Where the value begins: in the text, or in the decoded buffer when <see cref="IsDecoded"/>. Strings begin after the quote.</summary>
    public int Start;

    /// <summary>Bytes of the value; for a container with its brackets. While a container is open: the members read so far.</summary>
    public int Length;

    /// <summary>Container: index of the token after its last. Name: hash of the decoded bytes. While a container is open: index of its parent.</summary>
    public int Link;

    private int _meta;

    public readonly int Type => _meta & JsonTypes.All;

    public readonly bool IsTrue => (_meta & TrueBit) != 0;

    /// <summary>The string had escapes; its decoded UTF-8 lies in the decoded buffer.</summary>
    public readonly bool IsDecoded => (_meta & DecodedBit) != 0;

    /// <summary>Members of an object, items of an array.</summary>
    public readonly int Count => _meta >>> CountShift;

    public readonly bool IsContainer => (_meta & (JsonTypes.Object | JsonTypes.Array)) != 0;

    /// <summary>Makes the token a number, literal or other value without parts.</summary>
    public void SetScalar(int type, int start, int length)
    {
        Start = start;
        Length = length;
        Link = 0;
        _meta = type;
    }

    public void SetTrue(int start)
    {
        Start = start;
        Length = 4;
        Link = 0;
        _meta = JsonTypes.Boolean | TrueBit;
    }

    /// <summary>Makes the token a string in the text itself; for a name with its hash.</summary>
    public void SetText(int start, int length, int hash)
    {
        Start = start;
        Length = length;
        Link = hash;
        _meta = JsonTypes.String;
    }

    public void SetDecoded(int start, int length, int hash)
    {
        Start = start;
        Length = length;
        Link = hash;
        _meta = JsonTypes.String | DecodedBit;
    }

    public void SetOpen(int type, int start, int parent)
    {
        Start = start;
        Length = 0;
        Link = parent;
        _meta = type;
    }

    public void Close(int next, int count)
    {
        Link = next;
        _meta |= count << CountShift;
    }
}
