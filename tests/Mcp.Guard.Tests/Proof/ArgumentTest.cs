using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A condition over arguments that is easy to say as a JSON Schema and as a function.</summary>
/// <param name="MaximumN">The largest <c>n</c>; a call without a number <c>n</c> passes.</param>
/// <param name="NeedsText">Whether <c>text</c> must be there.</param>
internal sealed record ArgumentTest(int? MaximumN, bool NeedsText)
{
    public bool Accepts(CallModel call) =>
        (MaximumN is not { } maximum || call.N is not { } n || n <= maximum)
        && (!NeedsText || call.Text is not null);

    public JsonObject ToSchema()
    {
        var schema = new JsonObject();
        if (MaximumN is { } maximum)
        {
            schema["properties"] = new JsonObject { ["n"] = new JsonObject { ["maximum"] = maximum } };
        }

        if (NeedsText)
        {
            schema["required"] = new JsonArray("text");
        }

        return schema;
    }
}
