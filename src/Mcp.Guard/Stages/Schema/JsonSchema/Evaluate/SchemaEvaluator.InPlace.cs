namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <content>Schemas that apply to the same value, and what they leave unevaluated.</content>
internal ref partial struct SchemaEvaluator
{
    private bool EvaluateInPlace(SchemaNode node, InPlaceKeywords inPlace, int token, int bits)
    {
        bool valid = true;
        if (inPlace.Ref is { } reference && !Evaluate(reference, token, bits) && !Continues(ref valid))
        {
            return false;
        }

        if (inPlace.Dynamic is { } dynamic && !Evaluate(DynamicTarget(dynamic), token, bits) && !Continues(ref valid))
        {
            return false;
        }

        foreach (SchemaNode child in inPlace.AllOf)
        {
            if (!Evaluate(child, token, bits) && !Continues(ref valid))
            {
                return false;
            }
        }

        if (inPlace.AnyOf.Length > 0 && !EvaluateAnyOf(inPlace.AnyOf, token, bits) && Stops(node, SchemaKeyword.AnyOf, token, ref valid))
        {
            return false;
        }

        if (inPlace.OneOf.Length > 0 && !EvaluateOneOf(inPlace.OneOf, token, bits) && Stops(node, SchemaKeyword.OneOf, token, ref valid))
        {
            return false;
        }

        if (inPlace.Not is { } not && Try(not, token, NoBits) && Stops(node, SchemaKeyword.Not, token, ref valid))
        {
            return false;
        }

        if (inPlace.If is { } condition && !EvaluateCondition(inPlace, condition, token, bits))
        {
            Continues(ref valid);
        }

        return valid;
    }

    /// <summary>The outermost resource on the way here that offers the anchor (2020-12 core, section 8.2.3.2; 2019-09 core, section 8.2.4.2.2).</summary>
    private readonly SchemaNode DynamicTarget(DynamicReference dynamic)
    {
        if (dynamic.ByResource.Length > 0)
        {
            for (int i = 0; i < _scopeDepth; i++)
            {
                if (dynamic.ByResource[_workspace.Scope[i]] is { } candidate)
                {
                    return candidate;
                }
            }
        }

        return dynamic.Initial;
    }

    /// <summary>Evaluates without reporting: the branch may fail without the whole failing.</summary>
    private bool Try(SchemaNode node, int token, int bits)
    {
        bool collecting = _collecting;
        _collecting = false;
        bool valid = Evaluate(node, token, bits);
        _collecting = collecting;
        return valid;
    }

    /// <summary>The same, with what the branch evaluates kept apart until it is known to hold.</summary>
    private bool TryApart(SchemaNode node, int token, int bits)
    {
        if (bits == NoBits)
        {
            return Try(node, token, NoBits);
        }

        int words = Words(token);
        int own = OpenBits(words);
        bool valid = Try(node, token, own);
        if (valid)
        {
            Merge(own, bits, words);
        }

        _bitsUsed = own;
        return valid;
    }

    private bool EvaluateAnyOf(SchemaNode[] branches, int token, int bits)
    {
        bool any = false;
        foreach (SchemaNode branch in branches)
        {
            any |= TryApart(branch, token, bits);
            if (any && bits == NoBits)
            {
                break;
            }
        }

        return any;
    }

    private bool EvaluateOneOf(SchemaNode[] branches, int token, int bits)
    {
        int matches = 0;
        foreach (SchemaNode branch in branches)
        {
            matches += TryApart(branch, token, bits) ? 1 : 0;
            if (matches > 1)
            {
                return false;
            }
        }

        return matches == 1;
    }

    private bool EvaluateCondition(InPlaceKeywords inPlace, SchemaNode condition, int token, int bits)
    {
        if (bits == NoBits && inPlace.Then is null && inPlace.Else is null)
        {
            return true;
        }

        SchemaNode? branch = TryApart(condition, token, bits) ? inPlace.Then : inPlace.Else;
        return branch is null || Evaluate(branch, token, bits);
    }

    private bool EvaluateWithUnevaluated(SchemaNode node, int token, int bits)
    {
        int type = _view.Tokens[token].Type;
        SchemaNode? leftOver = type == JsonTypes.Object ? node.UnevaluatedProperties : type == JsonTypes.Array ? node.UnevaluatedItems : null;
        if (leftOver is null)
        {
            return EvaluateKeywords(node, token, bits);
        }

        int words = Words(token);
        int own = OpenBits(words);
        bool valid = EvaluateKeywords(node, token, own);
        if (valid || _collecting)
        {
            valid &= EvaluateLeftOver(node, leftOver, token, own);
        }

        if (valid && bits != NoBits)
        {
            MarkFirst(bits, _view.Tokens[token].Count);
        }

        _bitsUsed = own;
        return valid;
    }

    private bool EvaluateLeftOver(SchemaNode node, SchemaNode leftOver, int token, int bits)
    {
        bool isObject = _view.Tokens[token].Type == JsonTypes.Object;
        bool valid = true;
        int next = token + 1;
        int count = _view.Tokens[token].Count;
        for (int i = 0; i < count; i++)
        {
            int value = isObject ? next + 1 : next;
            if ((_workspace.Bits[bits + (i >> 6)] & (1UL << (i & 63))) == 0
                && !EvaluateUnder(node, isObject ? SchemaKeyword.UnevaluatedProperties : SchemaKeyword.UnevaluatedItems, leftOver, value)
                && !Continues(ref valid))
            {
                return false;
            }

            next = _view.After(value);
        }

        return valid;
    }

    private readonly int Words(int token) => (_view.Tokens[token].Count + 63) >> 6;

    private int OpenBits(int words)
    {
        int start = _bitsUsed;
        _bitsUsed += words;
        _workspace.EnsureBits(_bitsUsed).AsSpan(start, words).Clear();

        // Sets of large containers cost their size.
        _steps -= words >> 3;
        return start;
    }

    private readonly void Mark(int bits, int index) => _workspace.Bits[bits + (index >> 6)] |= 1UL << (index & 63);

    private readonly void MarkFirst(int bits, int count)
    {
        Span<ulong> words = _workspace.Bits.AsSpan(bits);
        for (int i = 0; i < count >> 6; i++)
        {
            words[i] = ulong.MaxValue;
        }

        if ((count & 63) != 0)
        {
            words[count >> 6] |= (1UL << (count & 63)) - 1;
        }
    }

    private readonly void Merge(int from, int to, int words)
    {
        ulong[] bits = _workspace.Bits;
        for (int i = 0; i < words; i++)
        {
            bits[to + i] |= bits[from + i];
        }
    }
}
