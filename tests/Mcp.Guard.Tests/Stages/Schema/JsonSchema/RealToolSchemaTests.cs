using System.Text.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>The schemas of published MCP servers: all compile, and each refuses what is no object.</summary>
[TestFixture]
internal sealed class RealToolSchemaTests
{
    [Test]
    public void Compile_PublishedTools_NoneIsRefused()
    {
        string folder = CorpusFile.RequireShared("real-tools");
        var refused = new List<string>();
        int schemas = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement tool in document.RootElement.GetProperty("tools").EnumerateArray())
            {
                foreach ((string name, McpSchemaKind kind) in new[] { ("inputSchema", McpSchemaKind.InputSchema), ("outputSchema", McpSchemaKind.OutputSchema) })
                {
                    if (!tool.TryGetProperty(name, out JsonElement schema))
                    {
                        continue;
                    }

                    schemas++;
                    JsonSchemaCompilation compilation = McpSchemaCompiler.Compile(SchemaTestText.Raw(schema), kind, "2025-11-25", JsonSchemaOptions.Default);
                    if (compilation.Program?.Validate("[]"u8).Outcome != JsonSchemaOutcome.Invalid)
                    {
                        refused.Add($"{Path.GetFileName(file)} {tool.GetProperty("name")}: {compilation.Rejection}");
                    }
                }
            }
        }

        Assert.That(refused, Is.Empty);
        Assert.That(schemas, Is.GreaterThanOrEqualTo(1_900));
    }
}
