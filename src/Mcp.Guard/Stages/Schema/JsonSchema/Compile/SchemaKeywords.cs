using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Names of the keywords and the drafts they belong to.</summary>
internal static class SchemaKeywords
{
    public const int Count = (int)SchemaKeyword.ContentSchema + 1;

    private static readonly (SchemaKeyword Keyword, string Name, SchemaDraft First, SchemaDraft Last)[] Known =
    [
        (SchemaKeyword.None, "", SchemaDraft.Draft202012, SchemaDraft.Draft4),
        (SchemaKeyword.Schema, "$schema", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Id, "$id", SchemaDraft.Draft6, SchemaDraft.Draft202012),
        (SchemaKeyword.IdDraft4, "id", SchemaDraft.Draft4, SchemaDraft.Draft4),
        (SchemaKeyword.Vocabulary, "$vocabulary", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.Ref, "$ref", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Anchor, "$anchor", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.DynamicRef, "$dynamicRef", SchemaDraft.Draft202012, SchemaDraft.Draft202012),
        (SchemaKeyword.DynamicAnchor, "$dynamicAnchor", SchemaDraft.Draft202012, SchemaDraft.Draft202012),
        (SchemaKeyword.RecursiveRef, "$recursiveRef", SchemaDraft.Draft201909, SchemaDraft.Draft201909),
        (SchemaKeyword.RecursiveAnchor, "$recursiveAnchor", SchemaDraft.Draft201909, SchemaDraft.Draft201909),
        (SchemaKeyword.Defs, "$defs", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.Definitions, "definitions", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.AllOf, "allOf", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.AnyOf, "anyOf", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.OneOf, "oneOf", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Not, "not", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.If, "if", SchemaDraft.Draft7, SchemaDraft.Draft202012),
        (SchemaKeyword.Then, "then", SchemaDraft.Draft7, SchemaDraft.Draft202012),
        (SchemaKeyword.Else, "else", SchemaDraft.Draft7, SchemaDraft.Draft202012),
        (SchemaKeyword.DependentSchemas, "dependentSchemas", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.DependentRequired, "dependentRequired", SchemaDraft.Draft201909, SchemaDraft.Draft202012),

        // Split in two by 2019-09, whose metaschema keeps it for compatibility, as 2020-12's does: ignoring it would let more through.
        (SchemaKeyword.Dependencies, "dependencies", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Properties, "properties", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.PatternProperties, "patternProperties", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.AdditionalProperties, "additionalProperties", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.PropertyNames, "propertyNames", SchemaDraft.Draft6, SchemaDraft.Draft202012),
        (SchemaKeyword.UnevaluatedProperties, "unevaluatedProperties", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.Required, "required", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.MinProperties, "minProperties", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.MaxProperties, "maxProperties", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.PrefixItems, "prefixItems", SchemaDraft.Draft202012, SchemaDraft.Draft202012),
        (SchemaKeyword.Items, "items", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.AdditionalItems, "additionalItems", SchemaDraft.Draft4, SchemaDraft.Draft201909),
        (SchemaKeyword.Contains, "contains", SchemaDraft.Draft6, SchemaDraft.Draft202012),
        (SchemaKeyword.MinContains, "minContains", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.MaxContains, "maxContains", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.UnevaluatedItems, "unevaluatedItems", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
        (SchemaKeyword.MinItems, "minItems", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.MaxItems, "maxItems", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.UniqueItems, "uniqueItems", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Type, "type", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Enum, "enum", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Const, "const", SchemaDraft.Draft6, SchemaDraft.Draft202012),
        (SchemaKeyword.MultipleOf, "multipleOf", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Minimum, "minimum", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Maximum, "maximum", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.ExclusiveMinimum, "exclusiveMinimum", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.ExclusiveMaximum, "exclusiveMaximum", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.MinLength, "minLength", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.MaxLength, "maxLength", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Pattern, "pattern", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.Format, "format", SchemaDraft.Draft4, SchemaDraft.Draft202012),
        (SchemaKeyword.ContentSchema, "contentSchema", SchemaDraft.Draft201909, SchemaDraft.Draft202012),
    ];

    private static readonly NameTable Names = new(Array.ConvertAll(Known, known => Encoding.UTF8.GetBytes(known.Name)));

    /// <summary>The keyword of a member name in a draft; <see cref="SchemaKeyword.None"/> where the draft does not have it.</summary>
    public static SchemaKeyword Find(ReadOnlySpan<byte> name, int hash, SchemaDraft draft)
    {
        int index = Names.Find(name, hash);
        if (index <= 0)
        {
            return SchemaKeyword.None;
        }

        ref readonly var known = ref Known[index];
        return draft >= known.First && draft <= known.Last ? known.Keyword : SchemaKeyword.None;
    }

    public static string Name(SchemaKeyword keyword) => Known[(int)keyword].Name;
}
