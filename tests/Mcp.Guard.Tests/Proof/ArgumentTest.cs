using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A condition over arguments that is easy to say as a JSON Schema and as a function.</summary>
/// <param name="MaximumN">The largest <c>n</c>; a call without a number <c>n</c> passes.</param>
/// <param name="NeedsText">Whether <c>text</c> must be there.</param>
internal sealed record ArgumentTest(int? MaximumN, bool NeedsText)
{
    /// <summary>Whether the engine gives no answer, whatever the arguments.</summary>
    public FaultModel Fault { get; init; }

    /// <summary>Whether the arguments pass; null where there is no answer.</summary>
    public bool? Accepts(CallModel call) => Fault != FaultModel.None
        ? null
        : (MaximumN is not { } maximum || call.N is not { } n || n <= maximum)
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

        if (Fault != FaultModel.None)
        {
            schema["$comment"] = FaultySchemas.Mark + Fault;
        }

        return schema;
    }
}
