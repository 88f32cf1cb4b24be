namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Collects the names that the keywords of one schema speak of, each once, with what they say about it.</summary>
internal sealed class PropertyNameList(int limit)
{
    private readonly List<byte[]> _names = [];
    private readonly List<SchemaNode?> _schemas = [];
    private HashSet<int>? _required;
    private NameTable? _properties;

    public List<Dependency> Dependencies { get; } = [];

    /// <summary>Adds a member of <c>properties</c>, whose names the parser has found to differ; false where there are too many.</summary>
    public bool AddProperty(ReadOnlySpan<byte> name, SchemaNode schema)
    {
        _names.Add(name.ToArray());
        _schemas.Add(schema);
        return _names.Count <= limit;
    }

    public void EndProperties() => _properties = new NameTable([.. _names]);

    /// <summary>The index of a name that another keyword speaks of, added where it is new; -1 where there are too many.</summary>
    public int Index(ReadOnlySpan<byte> name)
    {
        int index = _properties?.Find(name) ?? -1;
        if (index >= 0)
        {
            return index;
        }

        for (int i = _properties?.Count ?? 0; i < _names.Count; i++)
        {
            if (name.SequenceEqual(_names[i]))
            {
                return i;
            }
        }

        // Names of several keywords add up, so they may be twice as many as properties.
        if (_names.Count >= limit * 2)
        {
            return -1;
        }

        _names.Add(name.ToArray());
        _schemas.Add(null);
        return _names.Count - 1;
    }

    /// <summary>Whether the name was not yet required.</summary>
    public bool MarkRequired(int index) => (_required ??= []).Add(index);

    public void WriteTo(ObjectKeywords objects)
    {
        if (_names.Count == 0)
        {
            return;
        }

        objects.Names = _properties is not null && _properties.Count == _names.Count ? _properties : new NameTable([.. _names]);
        var entries = new NamedProperty[_names.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new NamedProperty(_schemas[i], _required is not null && _required.Contains(i));
        }

        objects.Entries = entries;
        objects.Dependencies = [.. Dependencies];
    }
}
