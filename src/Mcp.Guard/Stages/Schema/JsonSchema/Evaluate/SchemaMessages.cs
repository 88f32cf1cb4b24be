using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The sentences of errors. They repeat what the schema says, bounded, and nothing of the instance.</summary>
internal static class SchemaMessages
{
    private const int MaxName = 64;

    /// <param name="node">The schema that fails.</param>
    /// <param name="keyword">The keyword that fails.</param>
    /// <param name="name">Index of the missing member's name, or -1.</param>
    public static string For(SchemaNode node, SchemaKeyword keyword, int name) => keyword switch
    {
        SchemaKeyword.None => "not allowed here",
        SchemaKeyword.Type => "must be " + TypeNames(node.Types),
        SchemaKeyword.Enum => "must be one of the listed values",
        SchemaKeyword.Const => "must be the one allowed value",
        SchemaKeyword.Required when name >= 0 => "lacks the required property '" + PropertyName(node, name) + "'",
        SchemaKeyword.Required or SchemaKeyword.DependentRequired or SchemaKeyword.Dependencies => "lacks a property that another one requires",
        SchemaKeyword.AdditionalProperties or SchemaKeyword.UnevaluatedProperties => "is not a property that is allowed here",
        SchemaKeyword.PropertyNames => "has a name that is not allowed",
        SchemaKeyword.MinProperties => "has too few properties",
        SchemaKeyword.MaxProperties => "has too many properties",
        SchemaKeyword.Items or SchemaKeyword.AdditionalItems or SchemaKeyword.UnevaluatedItems => "is an item beyond those allowed",
        SchemaKeyword.MinItems => "has too few items",
        SchemaKeyword.MaxItems => "has too many items",
        SchemaKeyword.UniqueItems => "has items that are equal",
        SchemaKeyword.Contains or SchemaKeyword.MinContains => "lacks items of the kind required",
        SchemaKeyword.MaxContains => "has too many items of one kind",
        SchemaKeyword.MinLength => "is too short",
        SchemaKeyword.MaxLength => "is too long",
        SchemaKeyword.Pattern => "does not match the pattern",
        SchemaKeyword.Format => "does not have the format",
        SchemaKeyword.Minimum or SchemaKeyword.ExclusiveMinimum => "is too small",
        SchemaKeyword.Maximum or SchemaKeyword.ExclusiveMaximum => "is too large",
        SchemaKeyword.MultipleOf => "is not a multiple of the number given",
        SchemaKeyword.AnyOf => "matches none of the alternatives",
        SchemaKeyword.OneOf => "must match exactly one of the alternatives",
        SchemaKeyword.Not => "matches what is excluded",
        _ => "does not satisfy '" + SchemaKeywords.Name(keyword) + "'",
    };

    private static string PropertyName(SchemaNode node, int index)
    {
        string name = Encoding.UTF8.GetString(node.Objects!.Names![index]);
        return name.Length <= MaxName ? name : string.Concat(name.AsSpan(0, MaxName), "…");
    }

    private static string TypeNames(int types)
    {
        var names = new List<string>();
        foreach ((int mask, string name) in new[]
        {
            (JsonTypes.Null, "null"), (JsonTypes.Boolean, "boolean"), (JsonTypes.Object, "object"), (JsonTypes.Array, "array"), (JsonTypes.String, "string"),
        })
        {
            if ((types & mask) != 0)
            {
                names.Add(name);
            }
        }

        if ((types & JsonTypes.AnyNumber) != 0)
        {
            names.Add((types & JsonTypes.Decimal) != 0 ? "number" : "integer");
        }

        return string.Join(" or ", names);
    }
}
