using System.Buffers;
using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <content>Objects and arrays.</content>
internal ref partial struct SchemaEvaluator
{
    private bool EvaluateObject(SchemaNode node, ObjectKeywords objects, int token, int bits)
    {
        ReadOnlySpan<JsonToken> tokens = _view.Tokens;
        int count = tokens[token].Count;
        bool valid = true;
        if ((count < objects.MinProperties && Stops(node, SchemaKeyword.MinProperties, token, ref valid))
            || (count > objects.MaxProperties && Stops(node, SchemaKeyword.MaxProperties, token, ref valid)))
        {
            return false;
        }

        NameTable? names = objects.Names;
        NamedProperty[] entries = objects.Entries;
        SchemaNode? additional = objects.Additional;
        bool isPlain = objects.Patterns.Length == 0 && objects.PropertyNames is null;
        int required = 0;
        int next = token + 1;
        for (int i = 0; i < count; i++)
        {
            int nameToken = next;
            int value = next + 1;
            ref readonly JsonToken name = ref tokens[nameToken];
            ref readonly JsonToken content = ref tokens[value];
            next = content.IsContainer ? content.Link : value + 1;
            bool evaluated = false;
            if (names is not null)
            {
                int index = names.Find(_view.Bytes(name), name.Link);
                if (index >= 0)
                {
                    ref readonly NamedProperty property = ref entries[index];
                    required += property.IsRequired ? 1 : 0;
                    if (property.Schema is { } schema)
                    {
                        evaluated = true;
                        if (IsTriviallyValid(schema, content.Type))
                        {
                            _steps--;
                        }
                        else if (!Evaluate(schema, value, NoBits) && !Continues(ref valid))
                        {
                            return false;
                        }
                    }
                }
            }

            if (!isPlain && objects.Patterns.Length > 0 && !EvaluatePatterns(objects.Patterns, nameToken, ref evaluated) && !Continues(ref valid))
            {
                return false;
            }

            if (!evaluated && additional is not null)
            {
                evaluated = true;
                if (!EvaluateUnder(node, SchemaKeyword.AdditionalProperties, additional, value) && !Continues(ref valid))
                {
                    return false;
                }
            }

            if (!isPlain && objects.PropertyNames is { } nameSchema && !EvaluateUnder(node, SchemaKeyword.PropertyNames, nameSchema, nameToken) && !Continues(ref valid))
            {
                return false;
            }

            if (evaluated && bits != NoBits)
            {
                Mark(bits, i);
            }
        }

        if (required < objects.RequiredCount && !ReportMissing(node, objects, token, ref valid))
        {
            return false;
        }

        if (objects.Dependencies.Length > 0 && !EvaluateDependencies(node, objects, token, bits))
        {
            return false;
        }

        return valid;
    }

    /// <summary>The common leaf: free, or of a type that the token shows. Costs a step as every look does, which the next evaluation notices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsTriviallyValid(SchemaNode schema, int type) =>
        schema.Shape == SchemaShape.Anything || (schema.Shape == SchemaShape.TypeOnly && (schema.Types & type) != 0);

    /// <summary>A child failed: the whole fails, and goes on only while errors are collected.</summary>
    private readonly bool Continues(ref bool valid)
    {
        valid = false;
        return _collecting && _errors!.Count < _maxErrors;
    }

    /// <summary>Evaluates a child; where its schema is <c>false</c>, the fault is that of the keyword that holds it.</summary>
    private bool EvaluateUnder(SchemaNode node, SchemaKeyword keyword, SchemaNode child, int token)
    {
        if (child.Shape == SchemaShape.Nothing)
        {
            _steps--;
            Report(node, keyword, token);
            return false;
        }

        return Evaluate(child, token, NoBits);
    }

    private bool EvaluatePatterns(PatternProperty[] patterns, int nameToken, ref bool evaluated)
    {
        bool valid = true;
        ReadOnlySpan<byte> name = _view.Bytes(_view.Tokens[nameToken]);
        foreach (ref readonly PatternProperty property in patterns.AsSpan())
        {
            // Members times patterns: the product of two numbers that others choose, and each costs more than a look at a value.
            _steps -= 2;
            if (_steps < 0)
            {
                return false;
            }

            if (property.Pattern.IsMatch(name, ref _steps))
            {
                evaluated = true;
                if (!Evaluate(property.Schema, nameToken + 1, NoBits) && !Continues(ref valid))
                {
                    return false;
                }
            }
        }

        return valid;
    }

    private bool ReportMissing(SchemaNode node, ObjectKeywords objects, int token, ref bool valid)
    {
        valid = false;
        if (!_collecting)
        {
            return false;
        }

        for (int i = 0; i < objects.Entries.Length && _steps >= 0; i++)
        {
            _steps -= objects.Entries[i].IsRequired ? _view.Tokens[token].Count >> 4 : 0;
            if (objects.Entries[i].IsRequired && _view.Member(token, objects.Names![i]) < 0 && !Report(node, SchemaKeyword.Required, token, i))
            {
                return false;
            }
        }

        return true;
    }

    private bool EvaluateDependencies(SchemaNode node, ObjectKeywords objects, int token, int bits)
    {
        // Which of the names that keywords speak of are there: one pass, whatever the number of dependencies.
        bool[] present = ArrayPool<bool>.Shared.Rent(objects.Entries.Length);
        Array.Clear(present, 0, objects.Entries.Length);
        int next = token + 1;
        for (int left = _view.Tokens[token].Count; left > 0; left--)
        {
            int index = objects.Names!.Find(_view.Bytes(_view.Tokens[next]), _view.Tokens[next].Link);
            if (index >= 0)
            {
                present[index] = true;
            }

            next = _view.After(next + 1);
        }

        bool valid = true;
        foreach (Dependency dependency in objects.Dependencies)
        {
            if (--_steps < 0)
            {
                valid = false;
                break;
            }

            if (!present[dependency.Trigger])
            {
                continue;
            }

            if (dependency.Schema is { } schema)
            {
                if (!Evaluate(schema, token, bits) && !Continues(ref valid))
                {
                    break;
                }

                continue;
            }

            foreach (int index in dependency.Required)
            {
                _steps--;
                if (!present[index] && Stops(node, dependency.Keyword, token, ref valid))
                {
                    break;
                }
            }

            if (!valid && !Continues(ref valid))
            {
                break;
            }
        }

        ArrayPool<bool>.Shared.Return(present);
        return valid;
    }

    private bool EvaluateArray(SchemaNode node, ArrayKeywords arrays, int token, int bits)
    {
        ReadOnlySpan<JsonToken> tokens = _view.Tokens;
        int count = tokens[token].Count;
        bool valid = true;
        if ((count < arrays.MinItems && Stops(node, SchemaKeyword.MinItems, token, ref valid))
            || (count > arrays.MaxItems && Stops(node, SchemaKeyword.MaxItems, token, ref valid)))
        {
            return false;
        }

        SchemaNode[] prefix = arrays.Prefix;
        SchemaNode? rest = arrays.Rest;
        if (prefix.Length > 0 || rest is { Shape: not SchemaShape.Anything })
        {
            int next = token + 1;
            int end = rest is null ? Math.Min(count, prefix.Length) : count;
            for (int i = 0; i < end; i++)
            {
                if (i >= prefix.Length && IsTriviallyValid(rest!, tokens[next].Type))
                {
                    _steps--;
                    next = tokens[next].IsContainer ? tokens[next].Link : next + 1;
                    continue;
                }

                bool holds = i < prefix.Length
                    ? Evaluate(prefix[i], next, NoBits)
                    : EvaluateUnder(node, node.Resource.Dialect.Draft >= SchemaDraft.Draft202012 || prefix.Length == 0 ? SchemaKeyword.Items : SchemaKeyword.AdditionalItems, rest!, next);
                if (!holds && !Continues(ref valid))
                {
                    return false;
                }

                next = tokens[next].IsContainer ? tokens[next].Link : next + 1;
            }
        }

        if (bits != NoBits)
        {
            MarkFirst(bits, rest is null ? Math.Min(count, prefix.Length) : count);
        }

        if (arrays.Contains is { } contains && !EvaluateContains(node, arrays, contains, token, bits) && !Continues(ref valid))
        {
            return false;
        }

        if (arrays.UniqueItems && count > 1 && !AreUnique(token, count))
        {
            Stops(node, SchemaKeyword.UniqueItems, token, ref valid);
        }

        return valid;
    }

    private bool EvaluateContains(SchemaNode node, ArrayKeywords arrays, SchemaNode contains, int token, int bits)
    {
        bool collecting = _collecting;
        _collecting = false;
        int count = _view.Tokens[token].Count;
        int found = 0;
        int next = token + 1;
        bool wantsAll = bits != NoBits && arrays.ContainsEvaluates;
        for (int i = 0; i < count; i++)
        {
            if (Evaluate(contains, next, NoBits))
            {
                found++;
                if (wantsAll)
                {
                    Mark(bits, i);
                }
                else if (found > arrays.MaxContains || (found >= arrays.MinContains && arrays.MaxContains == int.MaxValue))
                {
                    break;
                }
            }

            next = _view.After(next);
        }

        _collecting = collecting;
        bool valid = true;
        if (found < arrays.MinContains)
        {
            Stops(node, found == 0 ? SchemaKeyword.Contains : SchemaKeyword.MinContains, token, ref valid);
        }
        else if (found > arrays.MaxContains)
        {
            Stops(node, SchemaKeyword.MaxContains, token, ref valid);
        }

        return valid;
    }

    private bool AreUnique(int token, int count)
    {
        if (count <= 8)
        {
            return AreFewUnique(token, count);
        }

        // Equal values have equal hashes: sorted, only neighbours need comparing.
        ulong[] hashes = ArrayPool<ulong>.Shared.Rent(count);
        int[] items = ArrayPool<int>.Shared.Rent(count);
        int next = token + 1;
        for (int i = 0; i < count; i++)
        {
            hashes[i] = JsonEquality.Hash(_view, next, ref _steps);
            items[i] = next;
            next = _view.After(next);
        }

        bool unique = _steps >= 0;
        if (unique)
        {
            Array.Sort(hashes, items, 0, count);
            for (int i = 1; i < count && unique; i++)
            {
                for (int j = i - 1; j >= 0 && hashes[j] == hashes[i] && unique; j--)
                {
                    unique = !JsonEquality.AreEqual(_view, items[j], _view, items[i], ref _steps) && _steps >= 0;
                }
            }
        }

        ArrayPool<ulong>.Shared.Return(hashes);
        ArrayPool<int>.Shared.Return(items);
        return unique;
    }

    private bool AreFewUnique(int token, int count)
    {
        int first = token + 1;
        for (int i = 0; i < count - 1; i++)
        {
            int second = _view.After(first);
            for (int j = i + 1; j < count; j++)
            {
                if (JsonEquality.AreEqual(_view, first, _view, second, ref _steps))
                {
                    return false;
                }

                second = _view.After(second);
            }

            first = _view.After(first);
        }

        return true;
    }
}
