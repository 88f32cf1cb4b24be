namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// The patterns people mostly write: a row of classes, each a number of times, anchored or a plain text. Matched in one pass without
/// going back, which is right because each repetition of varying length ends where its class does.
/// </summary>
internal sealed class ClassRow
{
    private readonly (CharacterSet Set, int Min, int Max)[] _items;
    private readonly byte[]? _literal;
    private readonly bool _atStart;
    private readonly bool _atEnd;

    private ClassRow((CharacterSet Set, int Min, int Max)[] items, byte[]? literal, bool atStart, bool atEnd)
    {
        _items = items;
        _literal = literal;
        _atStart = atStart;
        _atEnd = atEnd;
    }

    /// <summary>The row for a pattern, or null where it is not one.</summary>
    public static ClassRow? TryCreate(PatternNode root)
    {
        var parts = new List<PatternNode>();
        Flatten(root, parts);
        bool atStart = parts.Count > 0 && parts[0].Kind == PatternNodeKind.Start;
        bool atEnd = parts.Count > (atStart ? 1 : 0) && parts[^1].Kind == PatternNodeKind.End;
        var items = new List<(CharacterSet Set, int Min, int Max)>();
        bool isLiteral = true;
        for (int i = atStart ? 1 : 0; i < parts.Count - (atEnd ? 1 : 0); i++)
        {
            PatternNode part = parts[i];
            if (part.Kind == PatternNodeKind.Set)
            {
                items.Add((part.Set!, 1, 1));
                isLiteral &= part.Set!.Single >= 0;
            }
            else if (part is { Kind: PatternNodeKind.Repeat } && part.Children[0].Kind == PatternNodeKind.Set)
            {
                items.Add((part.Children[0].Set!, part.Min, part.Max < 0 ? int.MaxValue : part.Max));
                isLiteral = false;
            }
            else
            {
                return null;
            }
        }

        if (isLiteral)
        {
            return Literal(items, atStart, atEnd);
        }

        return atStart && IsDeterministic(items, atEnd) ? new ClassRow([.. items], null, true, atEnd) : null;
    }

    public bool IsMatch(ReadOnlySpan<byte> text)
    {
        if (_literal is not null)
        {
            return _atStart
                ? _atEnd ? text.SequenceEqual(_literal) : text.StartsWith(_literal)
                : _atEnd ? text.EndsWith(_literal) : text.IndexOf(_literal) >= 0;
        }

        int at = 0;
        foreach (ref readonly (CharacterSet Set, int Min, int Max) item in _items.AsSpan())
        {
            int count = 0;
            while (count < item.Max && at < text.Length)
            {
                int b = text[at];
                int length = 1;
                if (!(b < 128 ? item.Set.ContainsAscii(b) : item.Set.Contains(Utf8Text.CodePointAt(text, at, out length))))
                {
                    break;
                }

                at += length;
                count++;
            }

            if (count < item.Min)
            {
                return false;
            }
        }

        return !_atEnd || at == text.Length;
    }

    private static ClassRow? Literal(List<(CharacterSet Set, int Min, int Max)> items, bool atStart, bool atEnd)
    {
        var bytes = new List<byte>();
        Span<byte> encoded = stackalloc byte[4];
        foreach ((CharacterSet set, _, _) in items)
        {
            // An escaped surrogate half is a code point of a pattern, but never of a text.
            if (!System.Text.Rune.TryCreate(set.Single, out System.Text.Rune rune))
            {
                return null;
            }

            bytes.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
        }

        return new ClassRow([], [.. bytes], atStart, atEnd);
    }

    /// <summary>Whether taking as much as possible at each item is always right: what may vary must not share a character with what may follow.</summary>
    private static bool IsDeterministic(List<(CharacterSet Set, int Min, int Max)> items, bool atEnd)
    {
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i].Min == items[i].Max)
            {
                continue;
            }

            // Without an end anchor nothing after the last item can fail, and taking more never hurts it.
            for (int j = i + 1; j < items.Count; j++)
            {
                if (!items[i].Set.IsDisjointFrom(items[j].Set))
                {
                    return false;
                }

                if (items[j].Min > 0)
                {
                    break;
                }
            }
        }

        return atEnd || items.Count > 0;
    }

    private static void Flatten(PatternNode node, List<PatternNode> parts)
    {
        switch (node.Kind)
        {
            case PatternNodeKind.Sequence:
                foreach (PatternNode child in node.Children)
                {
                    Flatten(child, parts);
                }

                break;
            case PatternNodeKind.Capture:
                Flatten(node.Children[0], parts);
                break;
            case PatternNodeKind.Empty:
                break;
            default:
                parts.Add(node);
                break;
        }
    }
}
