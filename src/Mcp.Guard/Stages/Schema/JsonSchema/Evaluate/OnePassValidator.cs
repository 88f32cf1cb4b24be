using System.Text.Unicode;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Reads and validates a text in one pass, without a tape: the usual call, a small object of known members, costs about what reading it
/// costs. It has one answer that counts, "valid". Everything else (a fault, an escape where the decoded text matters, names that may repeat,
/// a large text) is left to <see cref="StrictJsonParser"/> and <see cref="SchemaEvaluator"/>, which decide.
/// </summary>
internal ref struct OnePassValidator
{
    /// <summary>The most work before the text goes the general way; keeps what is done twice small against what is done anyway.</summary>
    private const int MaxWork = 8_192;

    /// <summary>The most evaluations inside one another: bounds the stack.</summary>
    private const int MaxNesting = 256;

    /// <summary>The value does not satisfy the schema, or <see cref="_isUnknown"/> is set.</summary>
    private const int No = -1;

    private readonly ReadOnlySpan<byte> _text;
    private readonly int _maxDepth;
    private int _work;
    private int _nesting;
    private bool _isUnknown;

    private OnePassValidator(ReadOnlySpan<byte> text, int maxDepth, int work)
    {
        _text = text;
        _maxDepth = maxDepth;
        _work = work;
    }

    /// <summary>True where the text is strict JSON that satisfies the schema; false says nothing.</summary>
    /// <param name="root">A schema that <see cref="Supports"/>.</param>
    /// <param name="text">UTF-8, from anywhere.</param>
    /// <param name="limits">What the instance may be; a text that comes near is not decided here.</param>
    /// <param name="maxSteps">The steps allowed. Each look costs here at least what it costs in the evaluator.</param>
    public static bool IsValid(SchemaNode root, ReadOnlySpan<byte> text, in JsonTextLimits limits, int maxSteps)
    {
        if (text.Length > limits.MaxBytes || !Utf8.IsValid(text))
        {
            return false;
        }

        var validator = new OnePassValidator(text, limits.MaxDepth, Math.Min(MaxWork, Math.Min(maxSteps, limits.MaxTokens / 2)));
        int end = validator.Value(root, StrictJsonParser.SkipSpace(text, 0), 0);
        return end >= 0 && !validator._isUnknown && validator._work >= 0 && StrictJsonParser.SkipSpace(text, end) == text.Length;
    }

    /// <summary>Whether the pass knows every keyword of one schema; its subschemas are asked for themselves.</summary>
    public static bool Supports(SchemaNode node) =>
        node is { UnevaluatedItems: null, UnevaluatedProperties: null }
        && node.InPlace is null or { Dynamic: null }
        && node.Arrays is null or { Contains: null, UniqueItems: false }
        && node.Objects is null or { Patterns.Length: 0, PropertyNames: null, Dependencies.Length: 0 };

    private int Unknown()
    {
        _isUnknown = true;
        return No;
    }

    /// <summary>The position after the value, where it satisfies the schema; null allows everything.</summary>
    private int Value(SchemaNode? node, int pos, int depth)
    {
        if (--_work < 0 || (uint)pos >= (uint)_text.Length)
        {
            return Unknown();
        }

        return node?.InPlace is null ? Own(node, pos, depth) : InPlace(node, node.InPlace, pos, depth);
    }

    private int Own(SchemaNode? node, int pos, int depth)
    {
        if (node is { Shape: SchemaShape.Nothing })
        {
            return No;
        }

        int types = node is null ? JsonTypes.All : node.Types;
        switch (_text[pos])
        {
            case (byte)'"':
                return (types & JsonTypes.String) != 0 ? String(node, pos) : No;
            case (byte)'{':
                return (types & JsonTypes.Object) == 0 ? No
                    : node is not null && HasValues(node) ? Unknown()
                    : Object(node?.Objects, pos, depth);
            case (byte)'[':
                return (types & JsonTypes.Array) == 0 ? No
                    : node is not null && HasValues(node) ? Unknown()
                    : Array(node?.Arrays, pos, depth);
            case (byte)'t':
                return Literal(node, pos, "true"u8, JsonTypes.Boolean, ValueSet.True);
            case (byte)'f':
                return Literal(node, pos, "false"u8, JsonTypes.Boolean, ValueSet.False);
            case (byte)'n':
                return Literal(node, pos, "null"u8, JsonTypes.Null, ValueSet.Null);
            default:
                return Number(node, pos);
        }
    }

    private static bool HasValues(SchemaNode node) => node.Enum is not null || node.Const is not null || node.AnyOfValues is not null;

    private int Literal(SchemaNode? node, int pos, ReadOnlySpan<byte> word, int type, int simple)
    {
        if (!_text[pos..].StartsWith(word))
        {
            return Unknown();
        }

        if (node is not null
            && ((node.Types & type) == 0
                || node.Enum is { } list && !list.ContainsSimple(simple)
                || node.Const is { } constant && !constant.ContainsSimple(simple)
                || node.AnyOfValues is { } any && !any.ContainsSimple(simple)))
        {
            return No;
        }

        return pos + word.Length;
    }

    private int Number(SchemaNode? node, int pos)
    {
        int length = StrictJsonParser.NumberLength(_text[pos..], out int type, out bool isTooLong);
        if (length <= 0 || isTooLong)
        {
            return Unknown();
        }

        if (node is null)
        {
            return pos + length;
        }

        ReadOnlySpan<byte> literal = _text.Slice(pos, length);
        if ((node.Types & type) == 0
            && (type != JsonTypes.Decimal || (node.Types & JsonTypes.Integer) == 0 || !node.IntegerByValue || !JsonNumber.Parse(literal).IsInteger))
        {
            return No;
        }

        _work -= length >> 5;
        if (node.Enum is { } list && !list.ContainsNumber(literal, type)
            || node.Const is { } constant && !constant.ContainsNumber(literal, type)
            || node.AnyOfValues is { } any && !any.ContainsNumber(literal, type)
            || node.Numbers is { } numbers && numbers.FirstFault(literal, type) != SchemaKeyword.None)
        {
            return No;
        }

        return pos + length;
    }

    private int String(SchemaNode? node, int pos)
    {
        int start = pos + 1;
        int end = StrictJsonParser.EndOfPlain(_text, start);
        if ((uint)end >= (uint)_text.Length || _text[end] != (byte)'"')
        {
            return EscapedString(node, start);
        }

        _work -= (end - start) >> 8;
        if (node is null || node.Shape == SchemaShape.TypeOnly)
        {
            return end + 1;
        }

        ReadOnlySpan<byte> text = _text[start..end];
        if (node.Enum is { } list && !list.ContainsString(text)
            || node.Const is { } constant && !constant.ContainsString(text)
            || node.AnyOfValues is { } any && !any.ContainsString(text))
        {
            return No;
        }

        if (node.Strings is { } strings)
        {
            if (text.Length > strings.MaxLength || text.Length < (long)strings.MinLength * 4)
            {
                _work -= text.Length >> 8;
                int length = Utf8Text.CountCodePoints(text);
                if (length < strings.MinLength || length > strings.MaxLength)
                {
                    return No;
                }
            }

            if (strings.Pattern is { } pattern && !pattern.IsMatch(text, ref _work)
                || strings.Format is { } format && !StringFormats.IsMatch(format, text, ref _work))
            {
                // A pattern that ran out of work answers no as well.
                return _work < 0 ? Unknown() : No;
            }
        }

        return end + 1;
    }

    /// <summary>A string with escapes: its form is checked, and its length counted. Where its content matters it has to be decoded, elsewhere.</summary>
    private int EscapedString(SchemaNode? node, int pos)
    {
        StringKeywords? strings = node?.Strings;
        if (node is not null && (HasValues(node) || strings is { Pattern: not null } or { Format: not null }))
        {
            return Unknown();
        }

        int start = pos;
        int length = 0;
        while (true)
        {
            int end = StrictJsonParser.EndOfPlain(_text, pos);
            if ((uint)end >= (uint)_text.Length)
            {
                return Unknown();
            }

            if (strings is not null)
            {
                length += Utf8Text.CountCodePoints(_text[pos..end]) + (_text[end] == (byte)'\\' ? 1 : 0);
            }

            if (_text[end] == (byte)'"')
            {
                _work -= (end - start) >> 7;
                return strings is not null && (length < strings.MinLength || length > strings.MaxLength) ? No : end + 1;
            }

            int escape = _text[end] == (byte)'\\' ? EscapeLength(end) : 0;
            if (escape == 0)
            {
                return Unknown();
            }

            pos = end + escape;
        }
    }

    /// <summary>The length of an escape of one code point; 0 where it is none.</summary>
    private readonly int EscapeLength(int pos)
    {
        if ((uint)(pos + 1) >= (uint)_text.Length)
        {
            return 0;
        }

        if (_text[pos + 1] is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t')
        {
            return 2;
        }

        int unit = _text[pos + 1] == (byte)'u' ? StrictJsonParser.Hex4(_text, pos + 2) : -1;
        if (unit < 0)
        {
            return 0;
        }

        if (!char.IsSurrogate((char)unit))
        {
            return 6;
        }

        return char.IsHighSurrogate((char)unit) && _text[(pos + 6)..].StartsWith("\\u"u8)
            && StrictJsonParser.Hex4(_text, pos + 8) is >= 0xDC00 and <= 0xDFFF ? 12 : 0;
    }

    private int Object(ObjectKeywords? objects, int pos, int depth)
    {
        ReadOnlySpan<byte> text = _text;
        if (depth >= _maxDepth || ++_nesting > MaxNesting)
        {
            return Unknown();
        }

        NameTable? names = objects?.Names;
        ReadOnlySpan<NamedProperty> entries = objects is null ? default : objects.Entries;
        SchemaNode? additional = objects?.Additional;
        int members = 0;
        int required = 0;
        int expected = 0;

        // One bit a known name, two bits any other. Where they are taken already, the name may stand there twice, and who can tell is asked.
        ulong known = 0;
        ulong others = 0;
        ulong others2 = 0;
        pos = StrictJsonParser.SkipSpace(text, pos + 1);
        if ((uint)pos < (uint)text.Length && text[pos] == (byte)'}')
        {
            pos++;
        }
        else
        {
            while (true)
            {
                if ((uint)pos >= (uint)text.Length || text[pos] != (byte)'"')
                {
                    return Unknown();
                }

                int start = pos + 1;
                int index;

                // Members mostly come in the order of the schema: then the name is compared, and neither searched nor hashed.
                if (names is not null && names.IsQuotedAt(text[start..], expected))
                {
                    index = expected;
                    pos = start + names[index].Length + 1;
                }
                else
                {
                    int end = StrictJsonParser.EndOfPlain(text, start);
                    if ((uint)end >= (uint)text.Length || text[end] != (byte)'"')
                    {
                        return Unknown();
                    }

                    pos = end + 1;
                    ReadOnlySpan<byte> name = text[start..end];
                    int hash = NameHash.Of(name);
                    index = names is null ? -1 : names.Find(name, hash);
                    if (index < 0)
                    {
                        ulong other = 1UL << (hash & 63);
                        ulong other2 = 1UL << ((hash >> 6) & 63);
                        if ((others & other) != 0 && (others2 & other2) != 0)
                        {
                            return Unknown();
                        }

                        others |= other;
                        others2 |= other2;
                        _work -= name.Length >> 8;
                    }
                }

                SchemaNode? schema = null;
                if (index >= 0)
                {
                    ulong bit = 1UL << (index & 63);
                    if ((known & bit) != 0)
                    {
                        return Unknown();
                    }

                    known |= bit;
                    expected = index + 1;
                    ref readonly NamedProperty property = ref entries[index];
                    required += property.IsRequired ? 1 : 0;
                    schema = property.Schema;
                }

                if ((uint)pos < (uint)text.Length && text[pos] != (byte)':')
                {
                    pos = StrictJsonParser.SkipSpace(text, pos);
                }

                if ((uint)pos >= (uint)text.Length || text[pos] != (byte)':')
                {
                    return Unknown();
                }

                pos = Value(schema ?? additional, StrictJsonParser.SkipSpace(text, pos + 1), depth + 1);
                if (pos < 0)
                {
                    return No;
                }

                members++;
                if (!Next(ref pos, (byte)'}', out bool isLast))
                {
                    return Unknown();
                }

                if (isLast)
                {
                    break;
                }
            }
        }

        _nesting--;
        return objects is null || (required == objects.RequiredCount && members >= objects.MinProperties && members <= objects.MaxProperties) ? pos : No;
    }

    private int Array(ArrayKeywords? arrays, int pos, int depth)
    {
        ReadOnlySpan<byte> text = _text;
        if (depth >= _maxDepth || ++_nesting > MaxNesting)
        {
            return Unknown();
        }

        ReadOnlySpan<SchemaNode> prefix = arrays is null ? default : arrays.Prefix;
        SchemaNode? rest = arrays?.Rest;
        int items = 0;
        pos = StrictJsonParser.SkipSpace(text, pos + 1);
        if ((uint)pos < (uint)text.Length && text[pos] == (byte)']')
        {
            pos++;
        }
        else
        {
            bool isLast = false;
            while (!isLast)
            {
                pos = Value(items < prefix.Length ? prefix[items] : rest, pos, depth + 1);
                if (pos < 0)
                {
                    return No;
                }

                items++;
                if (!Next(ref pos, (byte)']', out isLast))
                {
                    return Unknown();
                }
            }
        }

        _nesting--;
        return arrays is null || (items >= arrays.MinItems && items <= arrays.MaxItems) ? pos : No;
    }

    /// <summary>Steps over a comma to the next item, or over the end of the container.</summary>
    private readonly bool Next(ref int pos, byte close, out bool isLast)
    {
        ReadOnlySpan<byte> text = _text;
        pos = StrictJsonParser.SkipSpace(text, pos);
        isLast = false;
        if ((uint)pos >= (uint)text.Length)
        {
            return false;
        }

        if (text[pos] == (byte)',')
        {
            pos = StrictJsonParser.SkipSpace(text, pos + 1);
            return true;
        }

        isLast = text[pos++] == close;
        return isLast;
    }

    /// <summary>
    /// Schemas on the same value: each reads it for itself. A branch that fails may not have read it to its end, so that the position comes
    /// from one that holds, or from reading the value without a schema.
    /// </summary>
    private int InPlace(SchemaNode node, InPlaceKeywords inPlace, int pos, int depth)
    {
        int nesting = _nesting;
        if (++_nesting > MaxNesting)
        {
            return Unknown();
        }

        int end = No;
        bool holds = Required(inPlace.Ref, pos, depth, ref end) && Required(inPlace.AllOf, pos, depth, ref end)
            && (inPlace.AnyOf.Length == 0 || Matches(inPlace.AnyOf, 1, pos, depth, ref end) >= 1)
            && (inPlace.OneOf.Length == 0 || Matches(inPlace.OneOf, 2, pos, depth, ref end) == 1)
            && (inPlace.Not is not { } not || !Try(not, pos, depth, ref end))
            && (inPlace.If is not { } condition || Required(Try(condition, pos, depth, ref end) ? inPlace.Then : inPlace.Else, pos, depth, ref end))
            && !_isUnknown;
        _nesting = nesting;
        if (!holds)
        {
            return No;
        }

        return end >= 0 && node is { Types: JsonTypes.All, Enum: null, Const: null, AnyOfValues: null, Strings: null, Numbers: null, Arrays: null, Objects: null }
            ? end
            : Own(node, pos, depth);
    }

    private bool Required(ReadOnlySpan<SchemaNode> schemas, int pos, int depth, ref int end)
    {
        foreach (SchemaNode schema in schemas)
        {
            if (!Try(schema, pos, depth, ref end))
            {
                return false;
            }
        }

        return true;
    }

    private bool Required(SchemaNode? schema, int pos, int depth, ref int end) => schema is null || Try(schema, pos, depth, ref end);

    /// <summary>How many of the branches hold, up to as many as decide.</summary>
    private int Matches(ReadOnlySpan<SchemaNode> branches, int enough, int pos, int depth, ref int end)
    {
        int found = 0;
        foreach (SchemaNode branch in branches)
        {
            found += Try(branch, pos, depth, ref end) ? 1 : 0;
            if (found == enough || _isUnknown)
            {
                break;
            }
        }

        return found;
    }

    private bool Try(SchemaNode schema, int pos, int depth, ref int end)
    {
        int nesting = _nesting;
        int after = Value(schema, pos, depth);
        _nesting = nesting;
        if (after < 0 || _isUnknown)
        {
            return false;
        }

        end = after;
        return true;
    }
}
