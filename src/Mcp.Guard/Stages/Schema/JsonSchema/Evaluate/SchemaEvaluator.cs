using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Walks a program over a tape. Stops at the first fault, or collects errors where asked; the semantics are the same code. Each look at
/// a value costs a step, and where the steps or the nesting run out, every answer from then on is "no" and the outcome is the limit.
/// </summary>
internal ref partial struct SchemaEvaluator
{
    public const string LimitDetail = "the schema asks for more steps on this instance than allowed";

    /// <summary>The most evaluations inside one another: bounds the stack.</summary>
    private const int MaxNesting = 1_024;

    /// <summary>No set of evaluated members is wanted.</summary>
    private const int NoBits = -1;

    private readonly JsonView _view;
    private readonly ValidationWorkspace _workspace;
    private readonly bool _isDynamic;
    private readonly int _maxErrors;
    private readonly List<JsonSchemaError>? _errors;
    private int _steps;
    private int _nesting;
    private int _scopeDepth;
    private int _bitsUsed;
    private bool _collecting;
    private bool _exceeded;

    public SchemaEvaluator(ReadOnlySpan<byte> text, ValidationWorkspace workspace, JsonSchemaOptions options, bool isDynamic, int maxErrors = 0)
    {
        _view = new JsonView(text, workspace.Tape);
        _workspace = workspace;
        _isDynamic = isDynamic;
        _maxErrors = maxErrors;
        _errors = maxErrors > 0 ? [] : null;
        _collecting = maxErrors > 0;
        _steps = options.MaxSteps;
        workspace.ClearMemo();
    }

    public readonly IReadOnlyList<JsonSchemaError>? Errors => _errors;

    public JsonSchemaOutcome Run(SchemaNode root)
    {
        bool valid = Evaluate(root, 0, NoBits);
        return _exceeded || _steps < 0 ? JsonSchemaOutcome.LimitExceeded
            : valid ? JsonSchemaOutcome.Valid
            : JsonSchemaOutcome.Invalid;
    }

    /// <summary>Whether the value at a token satisfies a schema; marks in the set at <paramref name="bits"/> which of its children were evaluated.</summary>
    private bool Evaluate(SchemaNode node, int token, int bits)
    {
        if (--_steps < 0)
        {
            return false;
        }

        switch (node.Shape)
        {
            case SchemaShape.Anything:
                return true;
            case SchemaShape.Nothing:
                Report(node, SchemaKeyword.None, token);
                return false;
            case SchemaShape.TypeOnly:
                if (TypeMatches(node, token))
                {
                    return true;
                }

                Report(node, SchemaKeyword.Type, token);
                return false;
            default:
                return EvaluateGeneral(node, token, bits);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool TypeMatches(SchemaNode node, int token)
    {
        int type = _view.Tokens[token].Type;
        return (type & node.Types) != 0 || (type == JsonTypes.Decimal && IsWholeInteger(node, token));
    }

    private readonly bool IsWholeInteger(SchemaNode node, int token) =>
        (node.Types & JsonTypes.Integer) != 0 && node.IntegerByValue && JsonNumber.Parse(_view.Bytes(_view.Tokens[token])).IsInteger;

    private bool EvaluateGeneral(SchemaNode node, int token, int bits)
    {
        if (node.MemoId >= 0 && bits == NoBits && !_collecting && _workspace.TryRecall(node.MemoId, token, out bool known))
        {
            return known;
        }

        if (++_nesting > MaxNesting)
        {
            _exceeded = true;
            _steps = -1;
            return false;
        }

        int scope = _scopeDepth;
        if (_isDynamic && (scope == 0 || _workspace.Scope[scope - 1] != node.Resource.Index))
        {
            _workspace.EnsureScope(scope + 1);
            _workspace.Scope[_scopeDepth++] = node.Resource.Index;
        }

        bool valid = node.UnevaluatedItems is null && node.UnevaluatedProperties is null
            ? EvaluateKeywords(node, token, bits)
            : EvaluateWithUnevaluated(node, token, bits);
        _scopeDepth = scope;
        _nesting--;
        if (node.MemoId >= 0 && bits == NoBits && !_collecting)
        {
            _workspace.Remember(node.MemoId, token, valid);
        }

        return valid;
    }

    private bool EvaluateKeywords(SchemaNode node, int token, int bits)
    {
        bool valid = true;
        if (!TypeMatches(node, token))
        {
            if (!Report(node, SchemaKeyword.Type, token))
            {
                return false;
            }

            valid = false;
        }

        if ((node.Enum is { } list && !list.Contains(_view, token, ref _steps) && Stops(node, SchemaKeyword.Enum, token, ref valid))
            || (node.Const is { } constant && !constant.Contains(_view, token, ref _steps) && Stops(node, SchemaKeyword.Const, token, ref valid))
            || (node.AnyOfValues is { } any && !any.Contains(_view, token, ref _steps) && Stops(node, SchemaKeyword.AnyOf, token, ref valid)))
        {
            return false;
        }

        bool group = true;
        switch (_view.Tokens[token].Type)
        {
            case JsonTypes.Object:
                group = node.Objects is not { } objects || EvaluateObject(node, objects, token, bits);
                break;
            case JsonTypes.Array:
                group = node.Arrays is not { } arrays || EvaluateArray(node, arrays, token, bits);
                break;
            case JsonTypes.String:
                group = node.Strings is not { } strings || EvaluateString(node, strings, token);
                break;
            case JsonTypes.Integer:
            case JsonTypes.Decimal:
                group = node.Numbers is not { } numbers || EvaluateNumber(node, numbers, token);
                break;
            default:
                break;
        }

        valid &= group;
        if ((valid || _collecting) && node.InPlace is { } inPlace)
        {
            valid &= EvaluateInPlace(node, inPlace, token, bits);
        }

        return valid;
    }

    /// <summary>Records a fault; true where the evaluation has to stop here.</summary>
    private bool Stops(SchemaNode node, SchemaKeyword keyword, int token, ref bool valid)
    {
        valid = false;
        return !Report(node, keyword, token);
    }

    /// <summary>Records a fault where errors are collected; true where further ones are wanted.</summary>
    private readonly bool Report(SchemaNode node, SchemaKeyword keyword, int token, int missing = -1)
    {
        if (!_collecting)
        {
            return false;
        }

        if (_errors!.Count < _maxErrors)
        {
            string name = SchemaKeywords.Name(keyword);
            _errors.Add(new JsonSchemaError(
                JsonLocation.Of(_view, token),
                node.Document.Location(node.Token, name),
                name,
                SchemaMessages.For(node, keyword, missing)));
        }

        return _errors.Count < _maxErrors;
    }

    private bool EvaluateString(SchemaNode node, StringKeywords strings, int token)
    {
        ReadOnlySpan<byte> text = _view.Bytes(_view.Tokens[token]);
        bool valid = true;

        // A code point takes one to four bytes, which mostly decides without counting.
        if (text.Length > strings.MaxLength || text.Length < (long)strings.MinLength * 4)
        {
            _steps -= text.Length >> 8;
            int length = Utf8Text.CountCodePoints(text);
            if ((length < strings.MinLength && Stops(node, SchemaKeyword.MinLength, token, ref valid))
                || (length > strings.MaxLength && Stops(node, SchemaKeyword.MaxLength, token, ref valid)))
            {
                return false;
            }
        }

        if (strings.Pattern is { } pattern && !pattern.IsMatch(text, ref _steps) && Stops(node, SchemaKeyword.Pattern, token, ref valid))
        {
            return false;
        }

        return (strings.Format is not { } format || StringFormats.IsMatch(format, text, ref _steps) || !Stops(node, SchemaKeyword.Format, token, ref valid)) && valid;
    }

    private bool EvaluateNumber(SchemaNode node, NumberKeywords numbers, int token)
    {
        ref readonly JsonToken number = ref _view.Tokens[token];
        ReadOnlySpan<byte> literal = _view.Bytes(number);
        bool valid = true;

        // Long literals cost arithmetic on long numbers.
        _steps -= literal.Length >> 5;
        if ((numbers.Minimum is { } minimum && minimum.CompareLiteral(literal, number.Type) < 0 && Stops(node, SchemaKeyword.Minimum, token, ref valid))
            || (numbers.Maximum is { } maximum && maximum.CompareLiteral(literal, number.Type) > 0 && Stops(node, SchemaKeyword.Maximum, token, ref valid))
            || (numbers.ExclusiveMinimum is { } above && above.CompareLiteral(literal, number.Type) <= 0 && Stops(node, SchemaKeyword.ExclusiveMinimum, token, ref valid))
            || (numbers.ExclusiveMaximum is { } below && below.CompareLiteral(literal, number.Type) >= 0 && Stops(node, SchemaKeyword.ExclusiveMaximum, token, ref valid)))
        {
            return false;
        }

        if (numbers.MultipleOf is { } divisor && !numbers.IsMultiple(literal, number.Type, divisor))
        {
            Stops(node, SchemaKeyword.MultipleOf, token, ref valid);
        }

        return valid;
    }
}
