namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Equality of JSON values as JSON Schema defines it: numbers by value, strings by code points, objects without order.</summary>
internal static class JsonEquality
{
    /// <summary>Compares two values. Costs one step a token looked at; where the steps run out the answer is false and the caller's count negative.</summary>
    public static bool AreEqual(in JsonView left, int i, in JsonView right, int j, ref int steps)
    {
        if (--steps < 0)
        {
            return false;
        }

        ref readonly JsonToken a = ref left.Tokens[i];
        ref readonly JsonToken b = ref right.Tokens[j];
        switch (a.Type)
        {
            case JsonTypes.Integer:
            case JsonTypes.Decimal:
                return (b.Type & JsonTypes.AnyNumber) != 0 && NumbersEqual(left.Bytes(a), right.Bytes(b));
            case JsonTypes.String:
                if (b.Type != JsonTypes.String || a.Length != b.Length)
                {
                    return false;
                }

                steps -= a.Length >> 8;
                return left.Bytes(a).SequenceEqual(right.Bytes(b));
            case JsonTypes.Boolean:
                return b.Type == JsonTypes.Boolean && a.IsTrue == b.IsTrue;
            case JsonTypes.Array:
                return b.Type == JsonTypes.Array && a.Count == b.Count && ItemsEqual(left, i, right, j, ref steps);
            case JsonTypes.Object:
                return b.Type == JsonTypes.Object && a.Count == b.Count && MembersEqual(left, i, right, j, ref steps);
            default:
                return b.Type == a.Type;
        }
    }

    /// <summary>A hash that equal values share.</summary>
    public static ulong Hash(in JsonView view, int index, ref int steps)
    {
        if (--steps < 0)
        {
            return 0;
        }

        ref readonly JsonToken token = ref view.Tokens[index];
        ulong type = (ulong)((token.Type & JsonTypes.AnyNumber) != 0 ? JsonTypes.AnyNumber : token.Type);
        switch (token.Type)
        {
            case JsonTypes.Integer:
            case JsonTypes.Decimal:
                return NameHash.Mix(type, JsonNumber.Parse(view.Bytes(token)).Hash());
            case JsonTypes.String:
                steps -= token.Length >> 8;
                return NameHash.Mix(type, (uint)NameHash.Of(view.Bytes(token)));
            case JsonTypes.Boolean:
                return NameHash.Mix(type, token.IsTrue ? 1UL : 2);
            case JsonTypes.Array:
                {
                    ulong hash = NameHash.Mix(type, (ulong)token.Count);
                    int next = index + 1;
                    for (int left = token.Count; left > 0; left--)
                    {
                        hash = NameHash.Mix(hash, Hash(view, next, ref steps));
                        next = view.After(next);
                    }

                    return hash;
                }

            case JsonTypes.Object:
                {
                    ulong sum = 0;
                    int next = index + 1;
                    for (int left = token.Count; left > 0; left--)
                    {
                        sum += NameHash.Mix((uint)view.Tokens[next].Link, Hash(view, next + 1, ref steps));
                        next = view.After(next + 1);
                    }

                    return NameHash.Mix(type, sum);
                }

            default:
                return type;
        }
    }

    public static bool NumbersEqual(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        left.SequenceEqual(right) || JsonNumber.Parse(left).ValueEquals(JsonNumber.Parse(right));

    private static bool ItemsEqual(in JsonView left, int i, in JsonView right, int j, ref int steps)
    {
        int count = left.Tokens[i].Count;
        i++;
        j++;
        for (; count > 0; count--)
        {
            if (!AreEqual(left, i, right, j, ref steps))
            {
                return false;
            }

            i = left.After(i);
            j = right.After(j);
        }

        return true;
    }

    private static bool MembersEqual(in JsonView left, int i, in JsonView right, int j, ref int steps)
    {
        int count = left.Tokens[i].Count;
        int ours = i + 1;
        int theirs = j + 1;
        for (int left2 = count; left2 > 0; left2--)
        {
            ref readonly JsonToken name = ref left.Tokens[ours];
            ref readonly JsonToken candidate = ref right.Tokens[theirs];

            // Mostly both sides name their members in the same order; otherwise the other side is searched.
            int value;
            if (candidate.Link == name.Link && left.Bytes(name).SequenceEqual(right.Bytes(candidate)))
            {
                value = theirs + 1;
            }
            else
            {
                steps -= count >> 2;
                value = steps < 0 ? -1 : right.Member(j, left.Bytes(name));
            }

            if (value < 0 || !AreEqual(left, ours + 1, right, value, ref steps))
            {
                return false;
            }

            ours = left.After(ours + 1);
            theirs = right.After(theirs + 1);
        }

        return true;
    }
}
