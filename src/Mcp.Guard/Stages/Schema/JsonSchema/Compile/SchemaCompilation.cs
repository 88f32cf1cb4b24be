using System.Globalization;
using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// One compilation: reads schemas into nodes, resolves references among the document and what the host registered, then checks the graph.
/// A method that returns null or false has set the rejection.
/// </summary>
internal sealed partial class SchemaCompilation(JsonSchemaOptions options)
{
    private readonly List<SchemaNode> _nodes = [];
    private readonly List<SchemaResource> _resources = [];
    private readonly List<SchemaDocument> _documents = [];
    private readonly Queue<PendingReference> _pending = new();
    private Dictionary<string, SchemaResource>? _byUri;
    private JsonSchemaRejection? _rejection;
    private int _patterns;

    public JsonSchemaCompilation Run(ReadOnlySpan<byte> utf8Schema)
    {
        SchemaDialect? fallback = SchemaDialect.Published(options.DefaultDialect);
        SchemaNode? root = null;
        if (fallback is null)
        {
            Reject(RejectionCodes.Dialect, "", $"'{options.DefaultDialect}', the default dialect, is not a published one");
        }
        else if (ReadDocument(utf8Schema, "") is { } document && CompileRoot(document, fallback) is { } compiled && ResolveReferences())
        {
            root = compiled;
        }

        if (root is null || FinishGraph(root) is not { } finished)
        {
            return new JsonSchemaCompilation(_rejection ?? new JsonSchemaRejection(RejectionCodes.Text, "", "the schema could not be compiled"));
        }

        foreach (SchemaDocument document in _documents)
        {
            document.Seal();
        }

        return new JsonSchemaCompilation(finished);
    }

    private SchemaDocument? ReadDocument(ReadOnlySpan<byte> utf8, string uri)
    {
        ValidationWorkspace workspace = ValidationWorkspace.Take();
        try
        {
            JsonTape tape = workspace.Tape;
            JsonTextFault fault = StrictJsonParser.Parse(utf8, options.SchemaLimits, tape);
            if (fault != JsonTextFault.None)
            {
                bool isLimit = fault is JsonTextFault.TooLarge or JsonTextFault.TooDeep or JsonTextFault.TooManyTokens or JsonTextFault.NumberTooLong;
                Reject(
                    isLimit ? RejectionCodes.TooLarge : RejectionCodes.Text,
                    uri,
                    string.Create(CultureInfo.InvariantCulture, $"the schema is not acceptable JSON: {JsonTextFaults.Describe(fault)} at byte {tape.FaultOffset}"));
                return null;
            }

            var document = new SchemaDocument(utf8.ToArray(), tape.Freeze(), uri);
            _documents.Add(document);
            return document;
        }
        finally
        {
            workspace.Return();
        }
    }

    private SchemaNode? CompileRoot(SchemaDocument document, SchemaDialect fallback)
    {
        JsonView view = document.View;
        SchemaDialect? dialect = view.Tokens[0].Type == JsonTypes.Object ? DialectOf(document, 0, fallback) : fallback;
        if (dialect is null)
        {
            return null;
        }

        string baseUri = document.Uri;
        if (!IdentifierOf(document, 0, dialect, out string? identifier))
        {
            return null;
        }

        if (identifier is not null)
        {
            baseUri = SchemaUri.Resolve(baseUri, identifier);
        }

        SchemaResource resource = AddResource(document, 0, baseUri, dialect);
        if (document.Uri.Length > 0 && !Register(document.Uri, resource, document, 0))
        {
            return null;
        }

        if (identifier is not null && !string.Equals(baseUri, document.Uri, StringComparison.Ordinal) && !Register(baseUri, resource, document, 0))
        {
            return null;
        }

        return CompileSchema(document, 0, resource);
    }

    private SchemaResource AddResource(SchemaDocument document, int token, string baseUri, SchemaDialect dialect)
    {
        var resource = new SchemaResource(document, token, baseUri, dialect, _resources.Count);
        _resources.Add(resource);
        return resource;
    }

    /// <summary>Gives a resource its URI. Two may not share one, and the schema may not take one that is published or registered.</summary>
    private bool Register(string uri, SchemaResource resource, SchemaDocument document, int token)
    {
        bool isOurs = document.Uri.Length > 0;
        if (!isOurs && (Metaschemas.Contains(uri) || FindRegistered(uri, out _)))
        {
            return Fail(RejectionCodes.IdentifierTaken, document, token, $"the identifier '{Short(uri)}' belongs to a published or registered document");
        }

        _byUri ??= new Dictionary<string, SchemaResource>(StringComparer.Ordinal);
        return _byUri.TryAdd(uri, resource)
            || Fail(RejectionCodes.IdentifierTaken, document, token, $"two schemas claim the identifier '{Short(uri)}'");
    }

    /// <summary>The dialect that <c>$schema</c> names at a resource root, or the one around it.</summary>
    private SchemaDialect? DialectOf(SchemaDocument document, int token, SchemaDialect inherited)
    {
        JsonView view = document.View;
        int value = view.Member(token, "$schema"u8);
        if (value < 0)
        {
            return inherited;
        }

        if (view.Tokens[value].Type != JsonTypes.String)
        {
            Fail(RejectionCodes.KeywordType, document, value, "'$schema' must be a string");
            return null;
        }

        string uri = Text(view, value);
        if (SchemaDialect.Published(uri) is { } published)
        {
            return published;
        }

        if (FindRegistered(SchemaUri.WithoutEmptyFragment(uri), out ReadOnlyMemory<byte> metaschema))
        {
            if (CustomDialect.Read(uri, metaschema.Span, options.SchemaLimits) is { } custom)
            {
                return custom;
            }
        }

        Fail(RejectionCodes.Dialect, document, value, $"'$schema' is '{Short(uri)}': not 2020-12, 2019-09, draft-07, draft-06 or draft-04, nor a usable metaschema that the host registered");
        return null;
    }

    /// <summary>The base part of the identifier that starts a new resource at a schema; false where it is unacceptable, null where there is none.</summary>
    private bool IdentifierOf(SchemaDocument document, int token, SchemaDialect dialect, out string? identifier)
    {
        identifier = null;
        JsonView view = document.View;
        if (view.Tokens[token].Type != JsonTypes.Object)
        {
            return true;
        }

        int value = view.Member(token, dialect.Draft == SchemaDraft.Draft4 ? "id"u8 : "$id"u8);
        bool isHidden = dialect.Draft <= SchemaDraft.Draft7 && view.Member(token, "$ref"u8) >= 0;
        if (value < 0 || isHidden)
        {
            return true;
        }

        if (view.Tokens[value].Type != JsonTypes.String)
        {
            return Fail(RejectionCodes.KeywordType, document, value, "a schema's identifier must be a string");
        }

        string text = Text(view, value);
        int hash = text.IndexOf('#', StringComparison.Ordinal);
        if (hash >= 0 && hash < text.Length - 1 && dialect.Draft >= SchemaDraft.Draft201909)
        {
            return Fail(RejectionCodes.Identifier, document, value, "'$id' may not have a fragment; '$anchor' names a place in a schema");
        }

        string uri = hash < 0 ? text : text[..hash];
        identifier = uri.Length == 0 ? null : uri;
        return true;
    }

    private bool FindRegistered(string uri, out ReadOnlyMemory<byte> document)
    {
        document = default;
        return options.Resources is { } resources && (resources.TryGetValue(uri, out document) || resources.TryGetValue(uri + "#", out document));
    }

    private static string Text(in JsonView view, int token) => Encoding.UTF8.GetString(view.Bytes(view.Tokens[token]));

    /// <summary>What a message repeats of the schema: enough to recognise, never a flood.</summary>
    private static string Short(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");

    private void Reject(string code, string location, string message) => _rejection ??= new JsonSchemaRejection(code, location, message);

    private bool Fail(string code, SchemaDocument document, int token, string message)
    {
        Reject(code, document.Location(token), message);
        return false;
    }
}
