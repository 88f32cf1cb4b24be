namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Reads a metaschema that the host registered: the draft it builds on and the vocabularies it puts in force.</summary>
internal static class CustomDialect
{
    private static readonly NameTable Vocabularies = new(
    [
        "applicator"u8.ToArray(), "validation"u8.ToArray(), "unevaluated"u8.ToArray(), "format-assertion"u8.ToArray(),
        "core"u8.ToArray(), "format-annotation"u8.ToArray(), "format"u8.ToArray(), "content"u8.ToArray(), "meta-data"u8.ToArray(),
    ]);

    /// <summary>The dialect, or null where the metaschema cannot be used: not JSON, of no known draft, or requiring an unknown vocabulary.</summary>
    public static SchemaDialect? Read(string uri, ReadOnlySpan<byte> metaschema, in JsonTextLimits limits)
    {
        var tape = new JsonTape();
        if (StrictJsonParser.Parse(metaschema, limits, tape) != JsonTextFault.None)
        {
            return null;
        }

        var view = new JsonView(metaschema, tape);
        if (view.Tokens[0].Type != JsonTypes.Object)
        {
            return null;
        }

        int schema = view.Member(0, "$schema"u8);
        if (schema < 0 || view.Tokens[schema].Type != JsonTypes.String
            || SchemaDialect.Published(System.Text.Encoding.UTF8.GetString(view.Bytes(view.Tokens[schema]))) is not { } draft)
        {
            return null;
        }

        int vocabulary = view.Member(0, "$vocabulary"u8);
        if (vocabulary < 0 || draft.Draft < SchemaDraft.Draft201909)
        {
            return draft with { Uri = uri };
        }

        return view.Tokens[vocabulary].Type == JsonTypes.Object ? WithVocabularies(view, vocabulary, draft with { Uri = uri }) : null;
    }

    private static SchemaDialect? WithVocabularies(in JsonView view, int vocabulary, SchemaDialect draft)
    {
        ReadOnlySpan<byte> prefix = draft.Draft == SchemaDraft.Draft202012
            ? "https://json-schema.org/draft/2020-12/vocab/"u8
            : "https://json-schema.org/draft/2019-09/vocab/"u8;
        bool applicator = false;
        bool validation = false;
        bool unevaluated = false;
        bool assertFormat = false;
        int next = vocabulary + 1;
        for (int left = view.Tokens[vocabulary].Count; left > 0; left--)
        {
            ReadOnlySpan<byte> name = view.Bytes(view.Tokens[next]);
            ref readonly JsonToken required = ref view.Tokens[next + 1];
            if (required.Type != JsonTypes.Boolean)
            {
                return null;
            }

            switch (name.StartsWith(prefix) ? Vocabularies.Find(name[prefix.Length..]) : -1)
            {
                case 0:
                    applicator = true;
                    break;
                case 1:
                    validation = true;
                    break;
                case 2:
                    unevaluated = true;
                    break;
                case 3:
                    // Understood, so in force whether it is required or not (2020-12 validation, section 7.2.2).
                    assertFormat = true;
                    break;
                case -1 when required.IsTrue:
                    return null;
                default:
                    break;
            }

            next = view.After(next + 1);
        }

        return draft with
        {
            HasApplicators = applicator,
            HasValidation = validation,
            HasUnevaluated = draft.Draft == SchemaDraft.Draft202012 ? unevaluated : applicator,
            AssertsFormat = assertFormat,
        };
    }
}
