using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <content>From nodes to a graph: references, cycles, and what repeats.</content>
internal sealed partial class SchemaCompilation
{
    /// <summary>The longest way through schemas at one place of the instance; far above what people write, and what keeps recursion small.</summary>
    private const int MaxInPlaceHeight = 256;

    private bool _isDynamic;

    private bool ResolveReferences()
    {
        while (_pending.TryDequeue(out PendingReference pending))
        {
            if (!Resolve(pending))
            {
                return false;
            }
        }

        foreach (SchemaNode node in _nodes)
        {
            if (node.InPlace?.Dynamic is { } dynamic)
            {
                dynamic.ByResource = Candidates(dynamic);
                _isDynamic |= dynamic.ByResource.Length > 0;
            }
        }

        return true;
    }

    /// <summary>The targets that the resources offer; none where there is but one, because then nothing is dynamic.</summary>
    private SchemaNode?[] Candidates(DynamicReference dynamic)
    {
        var candidates = new SchemaNode?[_resources.Count];
        int count = 0;
        foreach (SchemaResource resource in _resources)
        {
            SchemaNode? candidate = dynamic.Anchor is { } anchor ? resource.DynamicAnchor(anchor) : resource.IsRecursiveAnchor ? resource.Root : null;
            candidates[resource.Index] = candidate;
            count += candidate is null ? 0 : 1;
        }

        return count > 1 ? candidates : [];
    }

    private bool Resolve(in PendingReference pending)
    {
        SchemaNode node = pending.Node;
        string reference = Text(node.Document.View, pending.ValueToken);
        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        string uri = hash < 0 ? reference : reference[..hash];
        string? fragment = hash < 0 ? "" : SchemaUri.DecodeFragment(reference[(hash + 1)..]);
        SchemaResource? resource = uri.Length == 0 ? node.Resource : FindResource(node, SchemaUri.Resolve(node.Resource.BaseUri, uri));
        SchemaNode? target = resource is null || fragment is null ? null : FindTarget(resource, fragment);
        if (target is null)
        {
            return Fail(
                RejectionCodes.Reference,
                node.Document,
                pending.ValueToken,
                $"'{Short(reference)}' leads nowhere: not in this schema, not among the documents the host registered; nothing is ever fetched");
        }

        InPlaceKeywords inPlace = node.InPlace!;
        switch (pending.Keyword)
        {
            case SchemaKeyword.DynamicRef:
                // Dynamic only where the plain target is itself a dynamic anchor of that name (2020-12 core, section 8.2.3.2).
                bool isAnchor = fragment!.Length > 0 && ReferenceEquals(resource!.DynamicAnchor(fragment), target);
                inPlace.Dynamic = new DynamicReference(target, isAnchor ? fragment : "");
                break;
            case SchemaKeyword.RecursiveRef:
                inPlace.Dynamic = new DynamicReference(target, target.Resource.IsRecursiveAnchor && target.Token == target.Resource.Token ? null : "");
                break;
            default:
                inPlace.Ref = target;
                break;
        }

        return true;
    }

    private SchemaResource? FindResource(SchemaNode node, string uri)
    {
        if (_byUri is not null && _byUri.TryGetValue(uri, out SchemaResource? known))
        {
            return known;
        }

        SchemaDocument? document = FindRegistered(uri, out ReadOnlyMemory<byte> registered)
            ? ReadDocument(registered.Span, uri)
            : Metaschemas.Find(uri) is { } metaschema ? ReadDocument(metaschema, uri) : null;
        if (document is null || CompileRoot(document, node.Resource.Dialect with { HasApplicators = true, HasUnevaluated = true, HasValidation = true, AssertsFormat = false }) is null)
        {
            return null;
        }

        return _byUri![uri];
    }

    private SchemaNode? FindTarget(SchemaResource resource, string fragment)
    {
        if (fragment.Length == 0)
        {
            return resource.Root;
        }

        if (!fragment.StartsWith('/'))
        {
            return resource.TryGetAnchor(fragment, out int anchored) ? resource.Document.NodeAt(anchored) : null;
        }

        SchemaDocument document = resource.Document;
        JsonView view = document.View;
        int at = resource.Token;
        SchemaResource inside = resource;
        foreach (string segment in fragment[1..].Split('/'))
        {
            at = Step(view, at, segment);
            if (at < 0)
            {
                return null;
            }

            // A place that no keyword makes a schema is read with the base URI and the dialect of the schema around it.
            inside = document.NodeAt(at)?.Resource ?? inside;
        }

        return CompileSchema(document, at, inside);
    }

    /// <summary>One step of a JSON Pointer (RFC 6901), or -1.</summary>
    private static int Step(in JsonView view, int at, string segment)
    {
        ref readonly JsonToken container = ref view.Tokens[at];
        if (container.Type == JsonTypes.Object)
        {
            if (!segment.Contains('~', StringComparison.Ordinal))
            {
                return view.Member(at, Encoding.UTF8.GetBytes(segment));
            }

            for (int i = segment.IndexOf('~', StringComparison.Ordinal); i >= 0; i = segment.IndexOf('~', i + 1))
            {
                if (i + 1 >= segment.Length || segment[i + 1] is not ('0' or '1'))
                {
                    return -1;
                }
            }

            string name = segment.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            return view.Member(at, Encoding.UTF8.GetBytes(name));
        }

        bool isIndex = container.Type == JsonTypes.Array && segment.Length is > 0 and <= 6 && (segment.Length == 1 || segment[0] != '0');
        int index = 0;
        foreach (char c in segment)
        {
            isIndex &= char.IsAsciiDigit(c);
            index = isIndex ? (index * 10) + (c - '0') : 0;
        }

        if (!isIndex || index >= container.Count)
        {
            return -1;
        }

        int next = at + 1;
        for (; index > 0; index--)
        {
            next = view.After(next);
        }

        return next;
    }

    private JsonSchemaProgram? FinishGraph(SchemaNode root)
    {
        foreach (SchemaNode node in _nodes)
        {
            if (node.InPlaceHeight == -1 && !Measure(node, 0))
            {
                return null;
            }
        }

        if (!_isDynamic)
        {
            // Where every target is fixed, a schema that only refers is its target; dynamic scopes have to see each resource on the way.
            foreach (SchemaNode node in _nodes)
            {
                SkipReferences(node);
            }

            root = Target(root);
        }

        int memos = 0;
        foreach (SchemaNode node in _nodes)
        {
            foreach (SchemaNode child in InPlaceChildren(node))
            {
                child.InPlaceUses++;
            }
        }

        foreach (SchemaNode node in _nodes)
        {
            bool isCostly = node.InPlace is not null || node.Arrays is not null || node.Objects is not null;
            if (node.InPlaceUses > 1 && isCostly && !_isDynamic)
            {
                node.MemoId = memos++;
            }
        }

        return new JsonSchemaProgram(root, options, _isDynamic, !_isDynamic && FitsOnePass());
    }

    /// <summary>Whether all schemas are of the kind that one pass over the text can decide; those that nothing refers to count too, which costs speed at most.</summary>
    private bool FitsOnePass()
    {
        foreach (SchemaNode node in _nodes)
        {
            // Generators write "propertyNames": {"type": "string"}, which every name is.
            if (node.Objects is { PropertyNames: { Shape: SchemaShape.Anything or SchemaShape.TypeOnly } names } objects && (names.Types & JsonTypes.String) != 0)
            {
                objects.PropertyNames = null;
            }

            if (!OnePassValidator.Supports(node))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Finds cycles that return to a schema without going deeper into the instance, and measures the ways that do not.</summary>
    private bool Measure(SchemaNode node, int depth)
    {
        if (depth > MaxInPlaceHeight)
        {
            return Fail(RejectionCodes.Limit, node.Document, node.Token, $"more than {MaxInPlaceHeight} schemas in a row apply to the same value");
        }

        node.InPlaceHeight = -2;
        int height = 0;
        int references = 0;
        foreach (SchemaNode child in InPlaceChildren(node))
        {
            if (child.InPlaceHeight == -2)
            {
                return Fail(RejectionCodes.ReferenceCycle, child.Document, child.Token, "this schema refers back to itself for the same value");
            }

            if (child.InPlaceHeight == -1 && !Measure(child, depth + 1))
            {
                return false;
            }

            height = Math.Max(height, child.InPlaceHeight + 1);
            bool isReference = ReferenceEquals(node.InPlace?.Ref, child) || node.InPlace?.Dynamic is not null;
            references = Math.Max(references, child.ReferenceHeight + (isReference ? 1 : 0));
        }

        node.InPlaceHeight = height;
        node.ReferenceHeight = references;
        if (references > options.MaxReferenceChain)
        {
            return Fail(RejectionCodes.Limit, node.Document, node.Token, $"more than {options.MaxReferenceChain} references in a row");
        }

        return height <= MaxInPlaceHeight
            || Fail(RejectionCodes.Limit, node.Document, node.Token, $"more than {MaxInPlaceHeight} schemas in a row apply to the same value");
    }

    private static IEnumerable<SchemaNode> InPlaceChildren(SchemaNode node)
    {
        if (node.InPlace is { } inPlace)
        {
            if (inPlace.Ref is { } reference)
            {
                yield return reference;
            }

            if (inPlace.Dynamic is { } dynamic)
            {
                yield return dynamic.Initial;
                foreach (SchemaNode? candidate in dynamic.ByResource)
                {
                    if (candidate is not null && !ReferenceEquals(candidate, dynamic.Initial))
                    {
                        yield return candidate;
                    }
                }
            }

            foreach (SchemaNode child in inPlace.AllOf)
            {
                yield return child;
            }

            foreach (SchemaNode child in inPlace.AnyOf)
            {
                yield return child;
            }

            foreach (SchemaNode child in inPlace.OneOf)
            {
                yield return child;
            }

            if (inPlace.Not is { } not)
            {
                yield return not;
            }

            if (inPlace.If is { } condition)
            {
                yield return condition;
            }

            if (inPlace.Then is { } then)
            {
                yield return then;
            }

            if (inPlace.Else is { } otherwise)
            {
                yield return otherwise;
            }
        }

        if (node.Objects is { } objects)
        {
            foreach (Dependency dependency in objects.Dependencies)
            {
                if (dependency.Schema is { } schema)
                {
                    yield return schema;
                }
            }
        }
    }

    /// <summary>The schema that decides: past schemas that consist of nothing but a reference. Ends, because cycles are refused before.</summary>
    private static SchemaNode Target(SchemaNode node)
    {
        while (IsOnlyReference(node))
        {
            node = node.InPlace!.Ref!;
        }

        return node;
    }

    private static bool IsOnlyReference(SchemaNode node) =>
        node is { Types: JsonTypes.All, Enum: null, Const: null, AnyOfValues: null, Strings: null, Numbers: null, Arrays: null, Objects: null, UnevaluatedItems: null, UnevaluatedProperties: null }
        && node.InPlace is { Ref: not null, Dynamic: null, AllOf.Length: 0, AnyOf.Length: 0, OneOf.Length: 0, Not: null, If: null };

    private static SchemaNode? TargetOrNull(SchemaNode? node) => node is null ? null : Target(node);

    private static void SkipReferences(SchemaNode node)
    {
        if (node.InPlace is { } inPlace)
        {
            inPlace.Ref = TargetOrNull(inPlace.Ref);
            inPlace.Not = TargetOrNull(inPlace.Not);
            inPlace.If = TargetOrNull(inPlace.If);
            inPlace.Then = TargetOrNull(inPlace.Then);
            inPlace.Else = TargetOrNull(inPlace.Else);
            SkipReferences(inPlace.AllOf);
            SkipReferences(inPlace.AnyOf);
            SkipReferences(inPlace.OneOf);
        }

        node.UnevaluatedItems = TargetOrNull(node.UnevaluatedItems);
        node.UnevaluatedProperties = TargetOrNull(node.UnevaluatedProperties);
        if (node.Arrays is { } arrays)
        {
            SkipReferences(arrays.Prefix);
            arrays.Rest = TargetOrNull(arrays.Rest);
            arrays.Contains = TargetOrNull(arrays.Contains);
        }

        if (node.Objects is { } objects)
        {
            objects.Additional = TargetOrNull(objects.Additional);
            objects.PropertyNames = TargetOrNull(objects.PropertyNames);
            for (int i = 0; i < objects.Entries.Length; i++)
            {
                objects.Entries[i] = objects.Entries[i] with { Schema = TargetOrNull(objects.Entries[i].Schema) };
            }

            for (int i = 0; i < objects.Patterns.Length; i++)
            {
                objects.Patterns[i] = objects.Patterns[i] with { Schema = Target(objects.Patterns[i].Schema) };
            }

            for (int i = 0; i < objects.Dependencies.Length; i++)
            {
                objects.Dependencies[i] = objects.Dependencies[i] with { Schema = TargetOrNull(objects.Dependencies[i].Schema) };
            }
        }
    }

    private static void SkipReferences(SchemaNode[] nodes)
    {
        for (int i = 0; i < nodes.Length; i++)
        {
            nodes[i] = Target(nodes[i]);
        }
    }
}
