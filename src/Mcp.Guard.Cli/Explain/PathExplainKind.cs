using System.Text.Json;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>explain path</c>: whether a path or file URI lies inside roots, and its normal form.</summary>
internal sealed class PathExplainKind : IExplainKind
{
    public string Name => "path";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        RootInputKind kind = ExplainInput.Text(input, "kind") switch
        {
            "path" => RootInputKind.Path,
            "file-uri" => RootInputKind.FileUri,
            string other => throw new ExplainInputException($"'kind' must be path or file-uri, found '{other}'"),
        };
        PathFlavor flavor = ReadFlavor(input);
        List<GuardRoot> roots = ExplainInput.Texts(ExplainInput.Required(input, "roots"), "roots").ConvertAll(path => new GuardRoot(path));
        RootSet set = RootSet.Create(roots, flavor);
        PathVerdict verdict = set.Check(ExplainInput.Text(input, "input"), kind, ExplainInput.OptionalText(input, "base"));

        output.WriteString("decision", verdict.IsAllowed ? "allow" : "deny");
        output.WriteString("normalized", verdict.Normalized);
        output.WriteString("code", verdict.Code);
        output.WriteString("message", verdict.IsAllowed ? null : verdict.Message);
        if (set.Problems.Count > 0)
        {
            output.WriteStartArray("droppedRoots");
            foreach (RootProblem problem in set.Problems)
            {
                output.WriteStringValue($"roots[{problem.Index}]: {problem.Message}");
            }

            output.WriteEndArray();
        }
    }

    internal static PathFlavor ReadFlavor(JsonElement input) => ExplainInput.Text(input, "flavor") switch
    {
        "unix" => PathFlavor.Unix,
        "windows" => PathFlavor.Windows,
        string other => throw new ExplainInputException($"'flavor' must be unix or windows, found '{other}'"),
    };
}
