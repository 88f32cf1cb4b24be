using System.Text.Json;
using System.Text.Unicode;

namespace Mcp.Guard.Json;

/// <summary>
/// One pass over a JSON text that judges it strictly and notes where every value lies, the members of each object in the order of RFC 8785.
/// Nothing is copied but names that hold escapes, and no string is made.
/// </summary>
internal ref struct JsonTape(Span<JsonTapeNode> nodes, Span<int> order, Span<byte> scratch) : IMemberNames
{
    /// <summary>Sizes of the buffers that a caller puts on its stack; larger texts move to pooled memory.</summary>
    public const int StackNodes = 24;

    /// <inheritdoc cref="StackNodes"/>
    public const int StackOrder = 24;

    /// <inheritdoc cref="StackNodes"/>
    public const int StackScratch = 64;

    private ReadOnlySpan<byte> _text;
    private PooledList<JsonTapeNode> _nodes = new(nodes);
    private PooledList<int> _order = new(order);
    private PooledList<byte> _scratch = new(scratch);

    public readonly ReadOnlySpan<JsonTapeNode> Nodes => _nodes.Written;

    /// <summary>Judges <paramref name="text"/> and fills the tape. A tape reads one text.</summary>
    public JsonFault Read(ReadOnlySpan<byte> text, in JsonLimits limits)
    {
        if (text.Length > limits.MaxBytes)
        {
            return JsonFault.TooLarge;
        }

        if (!Utf8.IsValid(text))
        {
            return JsonFault.NotUtf8;
        }

        _text = text;
        int maxDepth = Math.Min(limits.MaxDepth, JsonLimits.DepthCeiling);
        try
        {
            return ReadValues(maxDepth, limits.MaxValues);
        }
        catch (JsonException)
        {
            // The platform's reader states a syntax error only as an exception. Its message may quote the text: it goes no further.
            return JsonFault.Malformed;
        }
    }

    public readonly ReadOnlySpan<byte> Value(in JsonTapeNode node) => _text.Slice(node.Start, node.Length);

    public readonly ReadOnlySpan<byte> Name(in JsonTapeNode node) =>
        node.NameUnescaped ? _scratch.Slice(node.NameStart, node.NameLength) : _text.Slice(node.NameStart, node.NameLength);

    /// <summary>Indices of the members of an object, ordered by name.</summary>
    public readonly ReadOnlySpan<int> Members(in JsonTapeNode node) => _order.Slice(node.OrderStart, node.Length);

    public void Dispose()
    {
        _nodes.Dispose();
        _order.Dispose();
        _scratch.Dispose();
    }

    private JsonFault ReadValues(int maxDepth, int maxValues)
    {
        // One level more than allowed, so that a text that is too deep is told from one that is malformed.
        var reader = new Utf8JsonReader(_text, new JsonReaderOptions
        {
            CommentHandling = JsonCommentHandling.Disallow,
            AllowTrailingCommas = false,
            MaxDepth = maxDepth + 1,
        });
        int open = -1;
        int depth = 0;
        JsonTapeNode next = default;
        while (reader.Read())
        {
            JsonTokenType token = reader.TokenType;
            switch (token)
            {
                case JsonTokenType.PropertyName:
                    if (!ReadName(ref reader, ref next))
                    {
                        return JsonFault.LoneSurrogate;
                    }

                    continue;
                case JsonTokenType.EndObject:
                case JsonTokenType.EndArray:
                    int closing = open;
                    ref JsonTapeNode closed = ref _nodes[closing];
                    open = closed.Next;
                    depth--;
                    closed.Next = _nodes.Count;
                    if (token == JsonTokenType.EndObject && !OrderMembers(closing))
                    {
                        return JsonFault.DuplicateName;
                    }

                    continue;
                case JsonTokenType.String when reader.ValueIsEscaped && !JsonEscapes.IsWellFormed(reader.ValueSpan):
                    return JsonFault.LoneSurrogate;
                default:
                    break;
            }

            if (_nodes.Count >= maxValues)
            {
                return JsonFault.TooLarge;
            }

            if (open >= 0)
            {
                _nodes[open].Length++;
            }

            int index = _nodes.Count;
            bool container = token is JsonTokenType.StartObject or JsonTokenType.StartArray;
            next.Kind = token switch
            {
                JsonTokenType.StartObject => JsonTapeKind.Object,
                JsonTokenType.StartArray => JsonTapeKind.Array,
                JsonTokenType.String => reader.ValueIsEscaped ? JsonTapeKind.EscapedString : JsonTapeKind.PlainString,
                JsonTokenType.Number => JsonTapeKind.Number,
                _ => JsonTapeKind.Literal,
            };
            next.Start = (int)reader.TokenStartIndex + (token == JsonTokenType.String ? 1 : 0);
            next.Length = container ? 0 : reader.ValueSpan.Length;

            // A container that is open holds in its place the one around it.
            next.Next = container ? open : index + 1;
            _nodes.Add(next);
            next = default;
            if (container)
            {
                if (depth == maxDepth)
                {
                    return JsonFault.TooDeep;
                }

                open = index;
                depth++;
            }
        }

        return JsonFault.None;
    }

    private bool ReadName(ref Utf8JsonReader reader, ref JsonTapeNode next)
    {
        if (!reader.ValueIsEscaped)
        {
            next.NameStart = (int)reader.TokenStartIndex + 1;
            next.NameLength = reader.ValueSpan.Length;
            return true;
        }

        int start = _scratch.Count;
        if (!JsonEscapes.TryUnescape(reader.ValueSpan, _scratch.Reserve(reader.ValueSpan.Length), out int written))
        {
            return false;
        }

        _scratch.Truncate(start + written);
        next.NameUnescaped = true;
        next.NameStart = start;
        next.NameLength = written;
        return true;
    }

    /// <summary>Notes the members of an object in the order of their names; false where two have the same name.</summary>
    private bool OrderMembers(int index)
    {
        int count = _nodes[index].Length;
        _nodes[index].OrderStart = _order.Count;
        Span<int> members = _order.Reserve(count);
        int member = index + 1;
        for (int i = 0; i < count; i++)
        {
            members[i] = member;
            member = _nodes[member].Next;
        }

        MemberOrder.Sort(members, in this);
        for (int i = 1; i < count; i++)
        {
            if (Name(in _nodes[members[i - 1]]).SequenceEqual(Name(in _nodes[members[i]])))
            {
                return false;
            }
        }

        return true;
    }

    readonly ReadOnlySpan<byte> IMemberNames.NameOf(int member) => Name(in _nodes[member]);
}
