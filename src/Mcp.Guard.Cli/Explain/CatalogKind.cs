using System.Text.Json;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>catalog</c>: whether a tool that was pinned as <c>before</c> may be used when its server lists it as <c>after</c>.</summary>
internal sealed class CatalogKind : IExplainKind
{
    public string Name => "catalog";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        JsonElement before = ExplainInput.Required(input, "before");
        JsonElement after = ExplainInput.Required(input, "after");
        ToolRelation relation = ToolComparison.Relate(before, after);
        output.WriteString("relation", relation switch
        {
            ToolRelation.Same => "same",
            ToolRelation.NewTool => "new-tool",
            _ => "reconsent",
        });
        if (relation == ToolRelation.Same)
        {
            return;
        }

        output.WriteStartArray("changes");
        foreach (string line in ToolComparison.Describe(before, after))
        {
            output.WriteStringValue(line);
        }

        output.WriteEndArray();
    }
}
