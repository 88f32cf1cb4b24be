using System.Buffers;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Stages.Schema;

/// <summary>
/// The rules of <c>x-mcp-header</c> (MCP 2026-07-28, server/tools; SEP-2243): an RFC 9110 token, unique without regard to case, on a
/// parameter of type string, integer or boolean that is reached through <c>properties</c> alone. A client must exclude a tool that breaks
/// them: the name becomes part of an HTTP header. The value of a mirrored integer lies between -(2^53 - 1) and 2^53 - 1.
/// </summary>
internal static class McpHeaderRules
{
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private static readonly NameTable SubschemaKeywords = new(
    [
        "items"u8.ToArray(), "prefixItems"u8.ToArray(), "additionalItems"u8.ToArray(), "unevaluatedItems"u8.ToArray(), "contains"u8.ToArray(),
        "additionalProperties"u8.ToArray(), "unevaluatedProperties"u8.ToArray(), "propertyNames"u8.ToArray(), "allOf"u8.ToArray(), "anyOf"u8.ToArray(),
        "oneOf"u8.ToArray(), "not"u8.ToArray(), "if"u8.ToArray(), "then"u8.ToArray(), "else"u8.ToArray(), "contentSchema"u8.ToArray(),
    ]);

    private static readonly NameTable SchemaMapKeywords = new(
    [
        "$defs"u8.ToArray(), "definitions"u8.ToArray(), "patternProperties"u8.ToArray(), "dependentSchemas"u8.ToArray(), "dependencies"u8.ToArray(),
    ]);

    /// <summary>The largest integer that every reader of JSON keeps exactly, 2^53 - 1; what lies beyond could be one value in the header and another in the body.</summary>
    private const long MaxSafeInteger = 9_007_199_254_740_991;

    public static JsonSchemaRejection? Check(in JsonView view)
    {
        HashSet<string>? names = null;
        return Visit(view, 0, false, ref names);
    }

    /// <summary>The bounds that the rules put on the values of mirrored integers, as a schema beside the tool's own; null where nothing is mirrored.</summary>
    /// <param name="view">A schema that <see cref="Check"/> accepts.</param>
    public static byte[]? Bounds(in JsonView view)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        bool any = WriteBounds(view, 0, writer);
        writer.Flush();
        return any ? buffer.WrittenSpan.ToArray() : null;
    }

    /// <summary>Writes the part of the schema that leads to mirrored parameters; false where there is none below.</summary>
    private static bool WriteBounds(in JsonView view, int schema, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        bool any = view.Tokens[schema].Type == JsonTypes.Object && view.Member(schema, "x-mcp-header"u8) >= 0;
        if (any)
        {
            writer.WriteNumber("minimum"u8, -MaxSafeInteger);
            writer.WriteNumber("maximum"u8, MaxSafeInteger);
        }

        int properties = view.Tokens[schema].Type == JsonTypes.Object ? view.Member(schema, "properties"u8) : -1;
        if (properties >= 0)
        {
            writer.WriteStartObject("properties"u8);
            int next = properties + 1;
            for (int left = view.Tokens[properties].Count; left > 0; left--)
            {
                writer.WritePropertyName(view.Bytes(view.Tokens[next]));
                any |= WriteBounds(view, next + 1, writer);
                next = view.After(next + 1);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        return any;
    }

    /// <param name="view">The schema's text.</param>
    /// <param name="schema">The schema looked at.</param>
    /// <param name="isParameter">Whether only <c>properties</c> lie between it and the root.</param>
    /// <param name="names">The names seen so far, in lower case.</param>
    private static JsonSchemaRejection? Visit(in JsonView view, int schema, bool isParameter, ref HashSet<string>? names)
    {
        if (view.Tokens[schema].Type != JsonTypes.Object)
        {
            return null;
        }

        int next = schema + 1;
        for (int left = view.Tokens[schema].Count; left > 0; left--)
        {
            ref readonly JsonToken name = ref view.Tokens[next];
            ReadOnlySpan<byte> keyword = view.Bytes(name);
            int value = next + 1;
            JsonSchemaRejection? rejection = null;
            if (keyword.SequenceEqual("x-mcp-header"u8))
            {
                rejection = Header(view, schema, value, isParameter, ref names);
            }
            else if (keyword.SequenceEqual("properties"u8))
            {
                rejection = VisitChildren(view, value, isParameter || schema == 0, ref names);
            }
            else if (SchemaMapKeywords.Find(keyword, name.Link) >= 0)
            {
                rejection = VisitChildren(view, value, false, ref names);
            }
            else if (SubschemaKeywords.Find(keyword, name.Link) >= 0)
            {
                rejection = view.Tokens[value].Type == JsonTypes.Array ? VisitChildren(view, value, false, ref names) : Visit(view, value, false, ref names);
            }

            if (rejection is not null)
            {
                return rejection;
            }

            next = view.After(value);
        }

        return null;
    }

    private static JsonSchemaRejection? VisitChildren(in JsonView view, int container, bool areParameters, ref HashSet<string>? names)
    {
        bool isObject = view.Tokens[container].Type == JsonTypes.Object;
        int next = container + 1;
        for (int left = view.Tokens[container].Count; left > 0; left--)
        {
            int value = isObject ? next + 1 : next;
            if (Visit(view, value, areParameters, ref names) is { } rejection)
            {
                return rejection;
            }

            next = view.After(value);
        }

        return null;
    }

    private static JsonSchemaRejection? Header(in JsonView view, int schema, int value, bool isParameter, ref HashSet<string>? names)
    {
        string? fault = null;
        ref readonly JsonToken token = ref view.Tokens[value];
        if (!isParameter)
        {
            fault = "stands on something that is not a parameter reached through 'properties'";
        }
        else if (token.Type != JsonTypes.String || token.Length == 0 || view.Bytes(token).ContainsAnyExcept(TokenBytes))
        {
            fault = "is not an HTTP token (RFC 9110, section 5.6.2)";
        }
        else if (!(names ??= new HashSet<string>(StringComparer.Ordinal)).Add(Encoding.ASCII.GetString(view.Bytes(token)).ToLowerInvariant()))
        {
            fault = "is used twice without regard to case";
        }
        else if (!IsMirrored(view, view.Member(schema, "type"u8)))
        {
            fault = "stands on a parameter whose type is not string, integer or boolean";
        }

        return fault is null ? null : new JsonSchemaRejection(McpSchemaCodes.Header, JsonLocation.Of(view, value), "'x-mcp-header' " + fault);
    }

    private static bool IsMirrored(in JsonView view, int type)
    {
        if (type < 0)
        {
            return false;
        }

        ref readonly JsonToken token = ref view.Tokens[type];
        if (token.Type == JsonTypes.String)
        {
            return IsMirroredType(view.Bytes(token));
        }

        bool any = false;
        for (int i = type + 1; i < token.Link; i++)
        {
            ReadOnlySpan<byte> one = view.Bytes(view.Tokens[i]);
            if (!one.SequenceEqual("null"u8))
            {
                if (!IsMirroredType(one))
                {
                    return false;
                }

                any = true;
            }
        }

        return any;
    }

    private static bool IsMirroredType(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("string"u8) || type.SequenceEqual("integer"u8) || type.SequenceEqual("boolean"u8);
}
