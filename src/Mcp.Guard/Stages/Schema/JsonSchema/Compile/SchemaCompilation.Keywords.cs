using System.Globalization;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <content>From JSON to nodes: one schema object and its keywords.</content>
internal sealed partial class SchemaCompilation
{
    private SchemaNode? CompileSchema(SchemaDocument document, int token, SchemaResource resource)
    {
        if (document.NodeAt(token) is { } known)
        {
            return known;
        }

        if (_nodes.Count >= options.MaxSubschemas)
        {
            Fail(RejectionCodes.Limit, document, token, $"more than {options.MaxSubschemas} schemas");
            return null;
        }

        JsonView view = document.View;
        ref readonly JsonToken schema = ref view.Tokens[token];
        if (schema.Type == JsonTypes.Boolean)
        {
            SchemaNode trivial = AddNode(document, token, resource);
            trivial.Shape = schema.IsTrue ? SchemaShape.Anything : SchemaShape.Nothing;
            return trivial;
        }

        if (schema.Type != JsonTypes.Object)
        {
            Fail(RejectionCodes.NotASchema, document, token, "a schema must be an object, true or false");
            return null;
        }

        Span<int> at = stackalloc int[SchemaKeywords.Count];
        at.Clear();
        FindKeywords(view, token, resource.Dialect, at);
        if (token != resource.Token)
        {
            SchemaResource? own = OwnResource(document, token, resource, at);
            if (own is null)
            {
                return null;
            }

            if (own != resource)
            {
                if (own.Dialect != resource.Dialect)
                {
                    at.Clear();
                    FindKeywords(view, token, own.Dialect, at);
                }

                resource = own;
            }
        }

        SchemaNode node = AddNode(document, token, resource);
        if (at[(int)SchemaKeyword.Ref] != 0 && resource.Dialect.Draft <= SchemaDraft.Draft7)
        {
            // Up to draft-07 a reference hides everything beside it; definitions still have to be found by their identifiers.
            int reference = at[(int)SchemaKeyword.Ref];
            int definitions = at[(int)SchemaKeyword.Definitions];
            at.Clear();
            at[(int)SchemaKeyword.Ref] = reference;
            at[(int)SchemaKeyword.Definitions] = definitions;
        }

        return Anchors(node, at) && References(node, at) && Definitions(node, at) && Assertions(node, at) && InPlace(node, at)
            && Arrays(node, at) && Objects(node, at) && Contents(node, at)
            ? Shaped(node, at)
            : null;
    }

    private SchemaNode AddNode(SchemaDocument document, int token, SchemaResource resource)
    {
        var node = new SchemaNode(document, token, resource) { IntegerByValue = resource.Dialect.Draft >= SchemaDraft.Draft6 };
        document.NodeAt(token) = node;
        _nodes.Add(node);
        if (token == resource.Token)
        {
            resource.Root = node;
        }

        return node;
    }

    private static void FindKeywords(in JsonView view, int token, SchemaDialect dialect, Span<int> at)
    {
        int next = token + 1;
        for (int left = view.Tokens[token].Count; left > 0; left--)
        {
            ref readonly JsonToken name = ref view.Tokens[next];
            SchemaKeyword keyword = SchemaKeywords.Find(view.Bytes(name), name.Link, dialect.Draft);
            if (keyword != SchemaKeyword.None && dialect.Includes(keyword))
            {
                at[(int)keyword] = next + 1;
            }

            next = view.After(next + 1);
        }
    }

    /// <summary>The resource a subschema belongs to: a new one where it has an identifier, else the one around it.</summary>
    private SchemaResource? OwnResource(SchemaDocument document, int token, SchemaResource resource, ReadOnlySpan<int> at)
    {
        int schema = at[(int)SchemaKeyword.Schema];
        int id = at[(int)SchemaKeyword.Id] | at[(int)SchemaKeyword.IdDraft4];
        if (schema == 0 && id == 0)
        {
            return resource;
        }

        SchemaDialect? dialect = schema == 0 ? resource.Dialect : DialectOf(document, token, resource.Dialect);
        if (dialect is null || !IdentifierOf(document, token, dialect, out string? identifier))
        {
            return null;
        }

        if (identifier is null)
        {
            if (dialect != resource.Dialect)
            {
                Fail(RejectionCodes.Dialect, document, schema, "'$schema' may change the dialect only where a schema has an identifier of its own");
                return null;
            }

            return resource;
        }

        string uri = SchemaUri.Resolve(resource.BaseUri, identifier);
        SchemaResource own = AddResource(document, token, uri, dialect);
        return Register(uri, own, document, id) ? own : null;
    }

    private bool Anchors(SchemaNode node, ReadOnlySpan<int> at)
    {
        JsonView view = node.Document.View;
        int id = at[(int)SchemaKeyword.Id] | at[(int)SchemaKeyword.IdDraft4];
        if (id != 0 && node.Resource.Dialect.Draft <= SchemaDraft.Draft7)
        {
            string text = Text(view, id);
            int hash = text.IndexOf('#', StringComparison.Ordinal);
            if (hash >= 0 && hash < text.Length - 1 && !node.Resource.TryAddAnchor(text[(hash + 1)..], node.Token))
            {
                return Fail(RejectionCodes.IdentifierTaken, node.Document, id, $"two schemas claim the anchor '{Short(text)}'");
            }
        }

        int dynamic = at[(int)SchemaKeyword.DynamicAnchor];
        if (!Anchor(node, at[(int)SchemaKeyword.Anchor]) || !Anchor(node, dynamic))
        {
            return false;
        }

        if (dynamic != 0)
        {
            node.Resource.AddDynamicAnchor(Text(view, dynamic), node);
        }

        int recursive = at[(int)SchemaKeyword.RecursiveAnchor];
        if (recursive != 0)
        {
            if (view.Tokens[recursive].Type != JsonTypes.Boolean)
            {
                return Fail(RejectionCodes.KeywordType, node.Document, recursive, "'$recursiveAnchor' must be true or false");
            }

            if (node.Token == node.Resource.Token)
            {
                node.Resource.IsRecursiveAnchor = view.Tokens[recursive].IsTrue;
            }
        }

        return true;
    }

    private bool Anchor(SchemaNode node, int value)
    {
        if (value == 0)
        {
            return true;
        }

        JsonView view = node.Document.View;
        if (view.Tokens[value].Type != JsonTypes.String)
        {
            return Fail(RejectionCodes.KeywordType, node.Document, value, "an anchor must be a string");
        }

        string name = Text(view, value);
        bool isName = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_');
        foreach (char c in name)
        {
            isName &= char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':';
        }

        if (!isName)
        {
            return Fail(RejectionCodes.Identifier, node.Document, value, "an anchor is a letter or '_', then letters, digits, '-', '_', '.'");
        }

        return node.Resource.TryAddAnchor(name, node.Token)
            || Fail(RejectionCodes.IdentifierTaken, node.Document, value, $"two schemas claim the anchor '{Short(name)}'");
    }

    private bool References(SchemaNode node, ReadOnlySpan<int> at) =>
        Reference(node, at[(int)SchemaKeyword.Ref], SchemaKeyword.Ref)
        && Reference(node, at[(int)SchemaKeyword.DynamicRef], SchemaKeyword.DynamicRef)
        && Reference(node, at[(int)SchemaKeyword.RecursiveRef], SchemaKeyword.RecursiveRef);

    private bool Reference(SchemaNode node, int value, SchemaKeyword keyword)
    {
        if (value == 0)
        {
            return true;
        }

        if (node.Document.View.Tokens[value].Type != JsonTypes.String)
        {
            return Fail(RejectionCodes.KeywordType, node.Document, value, $"'{SchemaKeywords.Name(keyword)}' must be a string");
        }

        node.InPlace ??= new InPlaceKeywords();
        _pending.Enqueue(new PendingReference(node, value, keyword));
        return true;
    }

    private bool Definitions(SchemaNode node, ReadOnlySpan<int> at) =>
        EachMember(node, at[(int)SchemaKeyword.Defs], SchemaKeyword.Defs) && EachMember(node, at[(int)SchemaKeyword.Definitions], SchemaKeyword.Definitions);

    private bool EachMember(SchemaNode node, int value, SchemaKeyword keyword)
    {
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.Object, keyword))
        {
            return false;
        }

        JsonView view = node.Document.View;
        int next = value + 1;
        for (int left = view.Tokens[value].Count; left > 0; left--)
        {
            if (CompileSchema(node.Document, next + 1, node.Resource) is null)
            {
                return false;
            }

            next = view.After(next + 1);
        }

        return true;
    }

    /// <summary>Keywords without subschemas that look at the value itself.</summary>
    private bool Assertions(SchemaNode node, ReadOnlySpan<int> at) =>
        Types(node, at[(int)SchemaKeyword.Type]) && Values(node, at) && Numbers(node, at) && Strings(node, at);

    private bool Types(SchemaNode node, int value)
    {
        if (value == 0)
        {
            return true;
        }

        JsonView view = node.Document.View;
        ref readonly JsonToken token = ref view.Tokens[value];
        if (token.Type == JsonTypes.String)
        {
            node.Types = TypeMask(view.Bytes(token));
        }
        else if (token.Type == JsonTypes.Array && token.Count > 0)
        {
            int mask = 0;
            for (int i = value + 1; i < token.Link; i++)
            {
                int one = view.Tokens[i].Type == JsonTypes.String ? TypeMask(view.Bytes(view.Tokens[i])) : 0;
                if (one == 0)
                {
                    return Fail(RejectionCodes.KeywordValue, node.Document, value, "'type' lists something that is not a type");
                }

                mask |= one;
            }

            node.Types = mask;
        }
        else
        {
            return Fail(RejectionCodes.KeywordType, node.Document, value, "'type' must be a type name or a list of at least one");
        }

        return node.Types != 0 || Fail(RejectionCodes.KeywordValue, node.Document, value, "'type' is not one of null, boolean, object, array, number, integer, string");
    }

    private static int TypeMask(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("string"u8) ? JsonTypes.String
        : name.SequenceEqual("object"u8) ? JsonTypes.Object
        : name.SequenceEqual("number"u8) ? JsonTypes.AnyNumber
        : name.SequenceEqual("boolean"u8) ? JsonTypes.Boolean
        : name.SequenceEqual("array"u8) ? JsonTypes.Array
        : name.SequenceEqual("integer"u8) ? JsonTypes.Integer
        : name.SequenceEqual("null"u8) ? JsonTypes.Null
        : 0;

    private bool Values(SchemaNode node, ReadOnlySpan<int> at)
    {
        JsonView view = node.Document.View;
        int constant = at[(int)SchemaKeyword.Const];
        if (constant != 0)
        {
            node.Const = ValueSet.Of(node.Document, [constant]);
        }

        int list = at[(int)SchemaKeyword.Enum];
        if (list == 0)
        {
            return true;
        }

        if (!Require(node, list, JsonTypes.Array, SchemaKeyword.Enum))
        {
            return false;
        }

        int count = view.Tokens[list].Count;
        if (count > options.MaxEnumValues)
        {
            return Fail(RejectionCodes.Limit, node.Document, list, $"'enum' has more than {options.MaxEnumValues} values");
        }

        node.Enum = ValueSet.Of(node.Document, Items(view, list));
        return true;
    }

    private static int[] Items(in JsonView view, int array)
    {
        int[] items = new int[view.Tokens[array].Count];
        int next = array + 1;
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = next;
            next = view.After(next);
        }

        return items;
    }

    private bool Numbers(SchemaNode node, ReadOnlySpan<int> at)
    {
        int minimum = at[(int)SchemaKeyword.Minimum];
        int maximum = at[(int)SchemaKeyword.Maximum];
        int above = at[(int)SchemaKeyword.ExclusiveMinimum];
        int below = at[(int)SchemaKeyword.ExclusiveMaximum];
        int multiple = at[(int)SchemaKeyword.MultipleOf];
        if ((minimum | maximum | above | below | multiple) == 0)
        {
            return true;
        }

        JsonView view = node.Document.View;
        var numbers = new NumberKeywords();
        if (node.Resource.Dialect.Draft == SchemaDraft.Draft4)
        {
            // draft-04: true or false, and says whether the bound beside it is part of the range.
            if ((above != 0 && !Require(node, above, JsonTypes.Boolean, SchemaKeyword.ExclusiveMinimum))
                || (below != 0 && !Require(node, below, JsonTypes.Boolean, SchemaKeyword.ExclusiveMaximum)))
            {
                return false;
            }

            if (above != 0)
            {
                above = view.Tokens[above].IsTrue ? minimum : 0;
                minimum = above != 0 ? 0 : minimum;
            }

            if (below != 0)
            {
                below = view.Tokens[below].IsTrue ? maximum : 0;
                maximum = below != 0 ? 0 : maximum;
            }
        }

        if (!Bound(node, minimum, SchemaKeyword.Minimum, out NumberBound? bound))
        {
            return false;
        }

        numbers.Minimum = bound;
        if (!Bound(node, maximum, SchemaKeyword.Maximum, out bound))
        {
            return false;
        }

        numbers.Maximum = bound;
        if (!Bound(node, above, SchemaKeyword.ExclusiveMinimum, out bound))
        {
            return false;
        }

        numbers.ExclusiveMinimum = bound;
        if (!Bound(node, below, SchemaKeyword.ExclusiveMaximum, out bound))
        {
            return false;
        }

        numbers.ExclusiveMaximum = bound;
        if (multiple != 0)
        {
            if (!Require(node, multiple, JsonTypes.AnyNumber, SchemaKeyword.MultipleOf))
            {
                return false;
            }

            JsonNumber divisor = JsonNumber.Parse(view.Bytes(view.Tokens[multiple]));
            if (divisor.IsZero || divisor.IsNegative)
            {
                return Fail(RejectionCodes.KeywordValue, node.Document, multiple, "'multipleOf' must be above 0");
            }

            numbers.MultipleOf = divisor;
            numbers.SmallMultipleOf = divisor.TryGetSmall(out long small) ? small : 0;
        }

        node.Numbers = numbers;
        return true;
    }

    private bool Bound(SchemaNode node, int value, SchemaKeyword keyword, out NumberBound? bound)
    {
        bound = null;
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.AnyNumber, keyword))
        {
            return false;
        }

        JsonView view = node.Document.View;
        bound = new NumberBound(JsonNumber.Parse(view.Bytes(view.Tokens[value])));
        return true;
    }

    private bool Strings(SchemaNode node, ReadOnlySpan<int> at)
    {
        int minimum = at[(int)SchemaKeyword.MinLength];
        int maximum = at[(int)SchemaKeyword.MaxLength];
        int pattern = at[(int)SchemaKeyword.Pattern];
        int format = at[(int)SchemaKeyword.Format];
        if ((minimum | maximum | pattern | format) == 0)
        {
            return true;
        }

        var strings = new StringKeywords();
        if (!Count(node, minimum, SchemaKeyword.MinLength, 0, out int bound))
        {
            return false;
        }

        strings.MinLength = bound;
        if (!Count(node, maximum, SchemaKeyword.MaxLength, int.MaxValue, out bound))
        {
            return false;
        }

        strings.MaxLength = bound;
        if (pattern != 0)
        {
            if (!Require(node, pattern, JsonTypes.String, SchemaKeyword.Pattern) || CompilePattern(node, pattern) is not { } compiled)
            {
                return false;
            }

            strings.Pattern = compiled;
        }

        if (format != 0)
        {
            if (!Require(node, format, JsonTypes.String, SchemaKeyword.Format))
            {
                return false;
            }

            JsonView view = node.Document.View;
            if (options.AssertFormat || node.Resource.Dialect.AssertsFormat)
            {
                strings.Format = StringFormats.Find(view.Bytes(view.Tokens[format]));
            }
        }

        if (strings.MinLength > 0 || strings.MaxLength < int.MaxValue || strings.Pattern is not null || strings.Format is not null)
        {
            node.Strings = strings;
        }

        return true;
    }

    private EcmaPattern? CompilePattern(SchemaNode node, int token)
    {
        if (++_patterns > options.MaxPatterns)
        {
            Fail(RejectionCodes.Limit, node.Document, token, $"more than {options.MaxPatterns} patterns");
            return null;
        }

        JsonView view = node.Document.View;
        ReadOnlySpan<byte> text = view.Bytes(view.Tokens[token]);
        if (Utf8Text.CountCodePoints(text) > options.MaxPatternLength)
        {
            Fail(RejectionCodes.Limit, node.Document, token, $"a pattern of more than {options.MaxPatternLength} characters");
            return null;
        }

        EcmaPattern? pattern = EcmaPattern.Compile(text, out string? error);
        if (pattern is null)
        {
            Fail(RejectionCodes.Pattern, node.Document, token, $"the pattern cannot be used: {error}");
        }

        return pattern;
    }

    private bool Contents(SchemaNode node, ReadOnlySpan<int> at)
    {
        int content = at[(int)SchemaKeyword.ContentSchema];
        return content == 0 || CompileSchema(node.Document, content, node.Resource) is not null;
    }

    private bool InPlace(SchemaNode node, ReadOnlySpan<int> at)
    {
        int allOf = at[(int)SchemaKeyword.AllOf];
        int anyOf = at[(int)SchemaKeyword.AnyOf];
        int oneOf = at[(int)SchemaKeyword.OneOf];
        int not = at[(int)SchemaKeyword.Not];
        int condition = at[(int)SchemaKeyword.If];
        int then = at[(int)SchemaKeyword.Then];
        int otherwise = at[(int)SchemaKeyword.Else];
        if ((allOf | anyOf | oneOf | not | condition | then | otherwise) == 0)
        {
            return true;
        }

        if (!SchemaList(node, allOf, SchemaKeyword.AllOf, out SchemaNode[] all)
            || !SchemaList(node, anyOf, SchemaKeyword.AnyOf, out SchemaNode[] any)
            || !SchemaList(node, oneOf, SchemaKeyword.OneOf, out SchemaNode[] one)
            || !Child(node, not, out SchemaNode? negated)
            || !Child(node, condition, out SchemaNode? ifNode)
            || !Child(node, then, out SchemaNode? thenNode)
            || !Child(node, otherwise, out SchemaNode? elseNode))
        {
            return false;
        }

        node.AnyOfValues = any.Length > 1 ? MergedValues(any) : null;
        InPlaceKeywords inPlace = node.InPlace ?? new InPlaceKeywords();
        inPlace.AllOf = all;
        inPlace.AnyOf = node.AnyOfValues is null ? any : [];
        inPlace.OneOf = one;
        inPlace.Not = negated;
        if (ifNode is not null)
        {
            inPlace.If = ifNode;
            inPlace.Then = thenNode;
            inPlace.Else = elseNode;
        }

        if (node.InPlace is not null || inPlace.AllOf.Length + inPlace.AnyOf.Length + inPlace.OneOf.Length > 0 || inPlace.Not is not null || inPlace.If is not null)
        {
            node.InPlace = inPlace;
        }

        return true;
    }

    /// <summary>One set for an <c>anyOf</c> of enums and consts: a look-up instead of a branch for each value.</summary>
    private static ValueSet? MergedValues(SchemaNode[] branches)
    {
        var values = new List<int>();
        foreach (SchemaNode branch in branches)
        {
            if (branch.OnlyValues is null)
            {
                return null;
            }

            values.AddRange(branch.OnlyValues);
        }

        return ValueSet.Of(branches[0].Document, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
    }

    private bool SchemaList(SchemaNode node, int value, SchemaKeyword keyword, out SchemaNode[] schemas)
    {
        schemas = [];
        if (value == 0)
        {
            return true;
        }

        JsonView view = node.Document.View;
        ref readonly JsonToken list = ref view.Tokens[value];
        if (list.Type != JsonTypes.Array || list.Count == 0)
        {
            return Fail(RejectionCodes.KeywordType, node.Document, value, $"'{SchemaKeywords.Name(keyword)}' must be a list of at least one schema");
        }

        var nodes = new SchemaNode[list.Count];
        int next = value + 1;
        for (int i = 0; i < nodes.Length; i++)
        {
            if (CompileSchema(node.Document, next, node.Resource) is not { } child)
            {
                return false;
            }

            nodes[i] = child;
            next = view.After(next);
        }

        schemas = nodes;
        return true;
    }

    private bool Child(SchemaNode node, int value, out SchemaNode? child)
    {
        child = value == 0 ? null : CompileSchema(node.Document, value, node.Resource);
        return value == 0 || child is not null;
    }

    private bool Arrays(SchemaNode node, ReadOnlySpan<int> at)
    {
        int prefix = at[(int)SchemaKeyword.PrefixItems];
        int items = at[(int)SchemaKeyword.Items];
        int additional = at[(int)SchemaKeyword.AdditionalItems];
        int contains = at[(int)SchemaKeyword.Contains];
        int unevaluated = at[(int)SchemaKeyword.UnevaluatedItems];
        int unique = at[(int)SchemaKeyword.UniqueItems];
        int minimum = at[(int)SchemaKeyword.MinItems];
        int maximum = at[(int)SchemaKeyword.MaxItems];
        int minContains = at[(int)SchemaKeyword.MinContains];
        int maxContains = at[(int)SchemaKeyword.MaxContains];
        if ((prefix | items | additional | contains | unevaluated | unique | minimum | maximum | minContains | maxContains) == 0)
        {
            return true;
        }

        JsonView view = node.Document.View;
        SchemaDraft draft = node.Resource.Dialect.Draft;
        var arrays = new ArrayKeywords { ContainsEvaluates = draft >= SchemaDraft.Draft202012 };
        bool isTuple = items != 0 && view.Tokens[items].Type == JsonTypes.Array;
        if (isTuple && draft >= SchemaDraft.Draft202012)
        {
            return Fail(RejectionCodes.KeywordType, node.Document, items, "'items' is a list; since 2020-12 a list of schemas by position is 'prefixItems'");
        }

        SchemaNode? rest;
        if (isTuple)
        {
            // Before 2019-09 nothing forbids an empty list.
            SchemaNode[] tuple = [];
            if (view.Tokens[items].Count > 0 && !SchemaList(node, items, SchemaKeyword.Items, out tuple))
            {
                return false;
            }

            arrays.Prefix = tuple;
            if (!Child(node, additional, out rest))
            {
                return false;
            }
        }
        else
        {
            if (!SchemaList(node, prefix, SchemaKeyword.PrefixItems, out SchemaNode[] tuple) || !Child(node, items, out rest) || !Child(node, additional, out _))
            {
                return false;
            }

            arrays.Prefix = tuple;
        }

        arrays.Rest = rest;
        if (!Child(node, contains, out SchemaNode? found) || !Child(node, unevaluated, out SchemaNode? leftOver))
        {
            return false;
        }

        arrays.Contains = found;
        node.UnevaluatedItems = leftOver;
        if (!Count(node, minContains, SchemaKeyword.MinContains, 1, out int bound))
        {
            return false;
        }

        arrays.MinContains = bound;
        if (!Count(node, maxContains, SchemaKeyword.MaxContains, int.MaxValue, out bound))
        {
            return false;
        }

        arrays.MaxContains = bound;
        if (!Count(node, minimum, SchemaKeyword.MinItems, 0, out bound))
        {
            return false;
        }

        arrays.MinItems = bound;
        if (!Count(node, maximum, SchemaKeyword.MaxItems, int.MaxValue, out bound))
        {
            return false;
        }

        arrays.MaxItems = bound;
        if (unique != 0)
        {
            if (!Require(node, unique, JsonTypes.Boolean, SchemaKeyword.UniqueItems))
            {
                return false;
            }

            arrays.UniqueItems = view.Tokens[unique].IsTrue;
        }

        node.Arrays = arrays;
        return true;
    }

    private bool Objects(SchemaNode node, ReadOnlySpan<int> at)
    {
        int properties = at[(int)SchemaKeyword.Properties];
        int patterns = at[(int)SchemaKeyword.PatternProperties];
        int additional = at[(int)SchemaKeyword.AdditionalProperties];
        int names = at[(int)SchemaKeyword.PropertyNames];
        int unevaluated = at[(int)SchemaKeyword.UnevaluatedProperties];
        int required = at[(int)SchemaKeyword.Required];
        int minimum = at[(int)SchemaKeyword.MinProperties];
        int maximum = at[(int)SchemaKeyword.MaxProperties];
        int dependentSchemas = at[(int)SchemaKeyword.DependentSchemas];
        int dependentRequired = at[(int)SchemaKeyword.DependentRequired];
        int dependencies = at[(int)SchemaKeyword.Dependencies];
        if ((properties | patterns | additional | names | unevaluated | required | minimum | maximum | dependentSchemas | dependentRequired | dependencies) == 0)
        {
            return true;
        }

        var objects = new ObjectKeywords();
        var table = new PropertyNameList(options.MaxPropertiesPerObject);
        if (!Properties(node, properties, table) || !Required(node, required, table, objects)
            || !Dependencies(node, dependentSchemas, SchemaKeyword.DependentSchemas, table)
            || !Dependencies(node, dependentRequired, SchemaKeyword.DependentRequired, table)
            || !Dependencies(node, dependencies, SchemaKeyword.Dependencies, table)
            || !PatternProperties(node, patterns, objects)
            || !Child(node, additional, out SchemaNode? others)
            || !Child(node, names, out SchemaNode? nameSchema)
            || !Child(node, unevaluated, out SchemaNode? leftOver)
            || !Count(node, minimum, SchemaKeyword.MinProperties, 0, out int least)
            || !Count(node, maximum, SchemaKeyword.MaxProperties, int.MaxValue, out int most))
        {
            return false;
        }

        table.WriteTo(objects);
        objects.Additional = others;
        objects.PropertyNames = nameSchema;
        objects.MinProperties = least;
        objects.MaxProperties = most;
        node.UnevaluatedProperties = leftOver;
        node.Objects = objects;
        return true;
    }

    private bool Properties(SchemaNode node, int value, PropertyNameList table)
    {
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.Object, SchemaKeyword.Properties))
        {
            return false;
        }

        JsonView view = node.Document.View;
        int next = value + 1;
        for (int left = view.Tokens[value].Count; left > 0; left--)
        {
            if (CompileSchema(node.Document, next + 1, node.Resource) is not { } child)
            {
                return false;
            }

            if (!table.AddProperty(view.Bytes(view.Tokens[next]), child))
            {
                return TooManyNames(node, value);
            }

            next = view.After(next + 1);
        }

        table.EndProperties();
        return true;
    }

    private bool Required(SchemaNode node, int value, PropertyNameList table, ObjectKeywords objects)
    {
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.Array, SchemaKeyword.Required))
        {
            return false;
        }

        JsonView view = node.Document.View;
        for (int i = value + 1; i < view.Tokens[value].Link; i++)
        {
            if (!Require(node, i, JsonTypes.String, SchemaKeyword.Required))
            {
                return false;
            }

            int index = table.Index(view.Bytes(view.Tokens[i]));
            if (index < 0)
            {
                return TooManyNames(node, value);
            }

            objects.RequiredCount += table.MarkRequired(index) ? 1 : 0;
        }

        return true;
    }

    private bool Dependencies(SchemaNode node, int value, SchemaKeyword keyword, PropertyNameList table)
    {
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.Object, keyword))
        {
            return false;
        }

        JsonView view = node.Document.View;
        int next = value + 1;
        for (int left = view.Tokens[value].Count; left > 0; left--)
        {
            int trigger = table.Index(view.Bytes(view.Tokens[next]));
            if (trigger < 0)
            {
                return TooManyNames(node, value);
            }

            bool isList = view.Tokens[next + 1].Type == JsonTypes.Array;
            if (keyword != SchemaKeyword.DependentSchemas && isList)
            {
                int[] items = Items(view, next + 1);
                for (int i = 0; i < items.Length; i++)
                {
                    if (!Require(node, items[i], JsonTypes.String, keyword))
                    {
                        return false;
                    }

                    items[i] = table.Index(view.Bytes(view.Tokens[items[i]]));
                    if (items[i] < 0)
                    {
                        return TooManyNames(node, value);
                    }
                }

                table.Dependencies.Add(new Dependency(trigger, null, items, keyword));
            }
            else if (keyword == SchemaKeyword.DependentRequired)
            {
                return Fail(RejectionCodes.KeywordType, node.Document, next + 1, "'dependentRequired' must give lists of names");
            }
            else
            {
                if (CompileSchema(node.Document, next + 1, node.Resource) is not { } child)
                {
                    return false;
                }

                table.Dependencies.Add(new Dependency(trigger, child, [], keyword));
            }

            next = view.After(next + 1);
        }

        return true;
    }

    private bool PatternProperties(SchemaNode node, int value, ObjectKeywords objects)
    {
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.Object, SchemaKeyword.PatternProperties))
        {
            return false;
        }

        JsonView view = node.Document.View;
        var patterns = new PatternProperty[view.Tokens[value].Count];
        int next = value + 1;
        for (int i = 0; i < patterns.Length; i++)
        {
            if (CompilePattern(node, next) is not { } pattern || CompileSchema(node.Document, next + 1, node.Resource) is not { } child)
            {
                return false;
            }

            patterns[i] = new PatternProperty(pattern, child);
            next = view.After(next + 1);
        }

        objects.Patterns = patterns;
        return true;
    }

    private bool TooManyNames(SchemaNode node, int value) =>
        Fail(RejectionCodes.Limit, node.Document, value, $"more than {options.MaxPropertiesPerObject} property names in one schema");

    private bool Count(SchemaNode node, int value, SchemaKeyword keyword, int absent, out int count)
    {
        count = absent;
        if (value == 0)
        {
            return true;
        }

        if (!Require(node, value, JsonTypes.AnyNumber, keyword))
        {
            return false;
        }

        JsonView view = node.Document.View;
        return JsonNumber.Parse(view.Bytes(view.Tokens[value])).TryGetCount(out count)
            || Fail(RejectionCodes.KeywordValue, node.Document, value, $"'{SchemaKeywords.Name(keyword)}' must be a whole number, 0 or above");
    }

    private bool Require(SchemaNode node, int value, int types, SchemaKeyword keyword)
    {
        if ((node.Document.View.Tokens[value].Type & types) != 0)
        {
            return true;
        }

        string expected = types switch
        {
            JsonTypes.Object => "an object",
            JsonTypes.Array => "a list",
            JsonTypes.String => "text",
            JsonTypes.Boolean => "true or false",
            _ => "a number",
        };
        return Fail(RejectionCodes.KeywordType, node.Document, value, string.Create(CultureInfo.InvariantCulture, $"'{SchemaKeywords.Name(keyword)}' must be or hold {expected}"));
    }

    private static SchemaNode Shaped(SchemaNode node, ReadOnlySpan<int> at)
    {
        bool hasValues = node.Enum is not null || node.Const is not null || node.AnyOfValues is not null;
        bool isLeaf = node.Strings is null && node.Numbers is null && node.Arrays is null && node.Objects is null && node.InPlace is null
            && node.UnevaluatedItems is null && node.UnevaluatedProperties is null;
        if (isLeaf && !hasValues)
        {
            node.Shape = node.Types == JsonTypes.All ? SchemaShape.Anything : SchemaShape.TypeOnly;
        }
        else if (isLeaf && node.AnyOfValues is null && (node.Enum is null || node.Const is null))
        {
            JsonView view = node.Document.View;
            int[] values = node.Const is not null ? [at[(int)SchemaKeyword.Const]] : Items(view, at[(int)SchemaKeyword.Enum]);
            foreach (int value in values)
            {
                // With a type beside them only where it changes nothing.
                if ((view.Tokens[value].Type & node.Types) == 0)
                {
                    return node;
                }
            }

            node.OnlyValues = values;
        }

        return node;
    }
}
