using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A tool as a server lists it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ReadOnlyHint">The annotation, or nothing.</param>
/// <param name="DestructiveHint">The annotation, or nothing.</param>
/// <param name="Variant">Stands in the description: another number is another definition.</param>
internal sealed record ToolModel(string Name, bool? ReadOnlyHint, bool? DestructiveHint, int Variant)
{
    /// <summary>What distinguishes one definition from another.</summary>
    public string Definition => ToJson().ToJsonString();

    /// <summary>How a policy names the definition.</summary>
    public string Fingerprint
    {
        get
        {
            using JsonDocument document = JsonDocument.Parse(Definition);
            return ToolFingerprint.TryOfTool(document.RootElement, out string? fingerprint) == JsonFault.None ? fingerprint! : throw new InvalidOperationException("no fingerprint");
        }
    }

    public override string ToString() => $"{Name} (read-only {Say(ReadOnlyHint)}, destructive {Say(DestructiveHint)}, variant {Variant})";

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["name"] = Name,
            ["description"] = $"Does number {Variant}.",
            ["inputSchema"] = JsonNode.Parse(
                """{"type":"object","properties":{"n":{"type":"integer"},"text":{"type":"string"},"path":{"type":"string"}},"additionalProperties":false}"""),
        };
        var annotations = new JsonObject();
        if (ReadOnlyHint is { } readOnly)
        {
            annotations["readOnlyHint"] = readOnly;
        }

        if (DestructiveHint is { } destructive)
        {
            annotations["destructiveHint"] = destructive;
        }

        if (annotations.Count > 0)
        {
            json["annotations"] = annotations;
        }

        return json;
    }

    private static string Say(bool? hint) => hint switch { true => "yes", false => "no", _ => "unsaid" };
}
