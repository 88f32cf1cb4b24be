using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>One call of a tool, read of a resource or request of a prompt.</summary>
/// <param name="Target">The tool's or prompt's name or the resource's URI; of a file that <paramref name="Path"/> leads to, a name for it.</param>
/// <param name="N">The argument <c>n</c>, or nothing; only of a tool.</param>
/// <param name="Text">The argument <c>text</c>, or nothing; not of a resource.</param>
/// <param name="Path">Where the argument <c>path</c> or the resource leads, or nothing.</param>
/// <param name="IsMistyped">Whether an argument is one that the tool's schema does not know.</param>
internal sealed record CallModel(string Target, int? N, string? Text, PathModel? Path, bool IsMistyped)
{
    public TargetModel Kind { get; init; }

    public string Method => Kind switch { TargetModel.Resource => "resources/read", TargetModel.Prompt => "prompts/get", _ => "tools/call" };

    /// <summary>Equal where two calls have the same canonical arguments.</summary>
    public string ArgumentsKey => $"{N}|{Text}|{Path}|{IsMistyped}";

    /// <summary>What the server answers.</summary>
    public string Result => Kind switch
    {
        TargetModel.Resource => """{"contents":[{"uri":"notes://a","text":"done"}]}""",
        TargetModel.Prompt => """{"messages":[{"role":"user","content":{"type":"text","text":"done"}}]}""",
        _ => """{"content":[{"type":"text","text":"done"}]}""",
    };

    public string Params(string root)
    {
        if (Kind == TargetModel.Resource)
        {
            return new JsonObject { ["uri"] = Path is { } file ? "file://" + At(root, file) : Target }.ToJsonString();
        }

        var arguments = new JsonObject();
        if (N is { } n)
        {
            arguments["n"] = n;
        }

        if (IsMistyped)
        {
            arguments["more"] = true;
        }

        if (Text is not null)
        {
            arguments["text"] = Text;
        }

        if (Path is { } path)
        {
            arguments["path"] = At(root, path);
        }

        return new JsonObject { ["name"] = Target, ["arguments"] = arguments }.ToJsonString();
    }

    private static string At(string root, PathModel path) => path switch
    {
        PathModel.Inside => root + "/a.txt",
        PathModel.Outside => "/etc/passwd",
        _ => root + "/../secret",
    };
}
