using System.Text.Json;

namespace Mcp.Guard.Cli.Explain;

/// <summary>One kind of question that <c>mcp-guard explain</c> answers, through the code that the pipeline runs.</summary>
internal interface IExplainKind
{
    /// <summary>The word after <c>explain</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Answers one input object: writes the members of the answer (all but <c>id</c>) into an open JSON object.
    /// An input that lacks what the kind needs is an <see cref="ExplainInputException"/>.
    /// </summary>
    void Answer(JsonElement input, Utf8JsonWriter output);
}
