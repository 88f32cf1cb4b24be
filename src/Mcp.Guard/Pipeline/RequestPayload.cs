using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// The <c>params</c> of a request: one strict reading that all stages judge by, and the element that is forwarded, made when it is first asked for. Where there
/// is no reading (a value of a host's stage that is not strict JSON, or one beyond <see cref="JsonReading.Limits"/>), each stage reads the element for itself.
/// </summary>
internal sealed class RequestPayload
{
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    private readonly JsonReading? _reading;
    private int _arguments = -1;
    private JsonElement _givenArguments;
    private StrongBox<JsonElement>? _element;

    private RequestPayload(JsonReading? reading, StrongBox<JsonElement>? element)
    {
        _reading = reading;
        _element = element;
    }

    /// <summary>A request without parameters.</summary>
    public static RequestPayload None { get; } = new(null, new StrongBox<JsonElement>());

    /// <summary>The whole value; undefined where there is none.</summary>
    public JsonElement Element =>
        (Volatile.Read(ref _element) ?? Interlocked.CompareExchange(ref _element, Parse(), null) ?? _element).Value;

    /// <summary>The arguments; undefined where there are none.</summary>
    public JsonElement Arguments => _reading is null ? _givenArguments : _arguments < 0 ? default : Element.GetProperty("arguments"u8);

    /// <summary>The JSON text of the arguments; empty where there are none.</summary>
    public ReadOnlySpan<byte> ArgumentsUtf8
    {
        get
        {
            if (!HasArguments)
            {
                return default;
            }

            if (_reading is null)
            {
                return JsonMarshal.GetRawUtf8Value(Arguments);
            }

            JsonView view = _reading.View;
            return view.Bytes(in view.Tokens[_arguments]);
        }
    }

    /// <summary>Whether <see cref="TryFindArguments"/> has found any.</summary>
    public bool HasArguments => _reading is null ? Arguments.ValueKind != JsonValueKind.Undefined : _arguments >= 0;

    public bool IsMissing => _reading is null && Element.ValueKind == JsonValueKind.Undefined;

    public bool IsObject => _reading is null ? Element.ValueKind == JsonValueKind.Object : _reading.View.Tokens[0].Type == JsonTypes.Object;

    /// <summary>The length of the JSON text; 0 where there is none.</summary>
    public int Bytes => _reading is null ? IsMissing ? 0 : JsonMarshal.GetRawUtf8Value(Element).Length : _reading.Text.Length;

    public static RequestPayload Of(JsonReading reading) => new(reading, null);

    /// <summary>A value that a parser has read; it is read again, strictly.</summary>
    public static RequestPayload Of(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Undefined)
        {
            return None;
        }

        JsonReading.TryRead(JsonMarshal.GetRawUtf8Value(element), out JsonReading? reading);
        return new(reading, new StrongBox<JsonElement>(element));
    }

    /// <summary>Arguments without anything around them.</summary>
    public static RequestPayload OfArguments(JsonElement arguments) => new(null, new StrongBox<JsonElement>(arguments)) { _givenArguments = arguments };

    /// <summary>Whether the value is an object with such a member.</summary>
    public bool Has(ReadOnlySpan<byte> member) =>
        IsObject && (_reading is null ? Element.TryGetProperty(member, out _) : _reading.View.Member(0, member) >= 0);

    /// <summary>The text of a member; null where it is missing or no text. The value is an object.</summary>
    public string? TextOf(ReadOnlySpan<byte> member)
    {
        if (_reading is null)
        {
            return Element.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }

        JsonView view = _reading.View;
        return TextOf(in view, view.Member(0, member));
    }

    /// <summary>The text of a member of <c>_meta</c>; null where there is none.</summary>
    public string? MetaTextOf(ReadOnlySpan<byte> member)
    {
        if (_reading is null)
        {
            return IsObject && Element.TryGetProperty("_meta"u8, out JsonElement given) && given.ValueKind == JsonValueKind.Object
                && given.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String
                    ? value.GetString()
                    : null;
        }

        JsonView view = _reading.View;
        int meta = IsObject ? view.Member(0, "_meta"u8) : -1;
        return meta >= 0 && view.Tokens[meta].Type == JsonTypes.Object ? TextOf(in view, view.Member(meta, member)) : null;
    }

    /// <summary>True where it is known by the reading that every member of <c>_meta</c> passes; an absent one has none.</summary>
    public bool HasOnlyPassingMeta(FrozenSet<string> named)
    {
        if (_reading is null || !IsObject)
        {
            return false;
        }

        JsonView view = _reading.View;
        int meta = view.Member(0, "_meta"u8);
        bool passes = meta < 0 || view.Tokens[meta].Type == JsonTypes.Object;
        for (int name = meta + 1; passes && meta >= 0 && name < view.Tokens[meta].Link; name = view.After(name + 1))
        {
            passes = MetaFilter.Passes(view.Bytes(in view.Tokens[name]), named);
        }

        return passes;
    }

    /// <summary>Looks for <c>arguments</c>, where the method has any; <c>null</c> counts as none. False where they are of another type. The value is an object.</summary>
    public bool TryFindArguments()
    {
        if (_reading is null)
        {
            if (!Element.TryGetProperty("arguments"u8, out JsonElement given) || given.ValueKind == JsonValueKind.Null)
            {
                return true;
            }

            if (given.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            _givenArguments = given;
            return true;
        }

        JsonView view = _reading.View;
        int found = view.Member(0, "arguments"u8);
        if (found < 0 || view.Tokens[found].Type == JsonTypes.Null)
        {
            return true;
        }

        if (view.Tokens[found].Type != JsonTypes.Object)
        {
            return false;
        }

        _arguments = found;
        return true;
    }

    /// <summary>Applies a schema to the arguments; none count as <c>{}</c>.</summary>
    public SchemaOutcome Validate(CompiledSchema schema, ICollection<SchemaError>? errors = null, int maxErrors = 5)
    {
        if (!HasArguments)
        {
            return schema.Validate(EmptyObject, errors, maxErrors);
        }

        // Another engine gets the value as it would anywhere else.
        if (_reading is null || schema is not BuiltInCompiledSchema)
        {
            return schema.Validate(Arguments, errors, maxErrors);
        }

        return schema.Validate(ArgumentsUtf8, errors, maxErrors);
    }

    /// <summary>Visits every string of the arguments; false where they cannot be walked.</summary>
    public bool TryWalkArguments<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IJsonStringVisitor =>
        !HasArguments || (_reading is null ? JsonStringWalker.TryWalk(Arguments, ref visitor) : JsonStringWalker.TryWalk(_reading.View, _arguments, ref visitor));

    /// <summary>The digest of the canonical arguments; null where they have no canonical form.</summary>
    public string? ComputeArgumentsDigest() => _reading is null || _arguments < 0
        ? ArgumentsDigest.TryCompute(_reading is null ? Arguments : default, out string? digest) == JsonFault.None ? digest : null
        : ArgumentsDigest.Compute(_reading.View, _arguments);

    private static string? TextOf(in JsonView view, int token) =>
        token >= 0 && view.Tokens[token].Type == JsonTypes.String ? Encoding.UTF8.GetString(view.Bytes(in view.Tokens[token])) : null;

    /// <summary>
    /// The element lies over the very text that was judged. Its document is never disposed of: what it took from a pool stays with it, for whoever holds the element.
    /// </summary>
#pragma warning disable CA2000 // see above
    private StrongBox<JsonElement> Parse() => new(JsonDocument.Parse(_reading!.Memory).RootElement);
#pragma warning restore CA2000
}
