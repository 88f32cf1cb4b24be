using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>One call of a tool.</summary>
/// <param name="Tool">The name.</param>
/// <param name="N">The argument <c>n</c>, or nothing.</param>
/// <param name="Text">The argument <c>text</c>, or nothing.</param>
/// <param name="Path">Where the argument <c>path</c> leads, or nothing.</param>
/// <param name="IsMistyped">Whether an argument has another type than the tool's schema says.</param>
internal sealed record CallModel(string Tool, int? N, string? Text, PathModel? Path, bool IsMistyped)
{
    public string Params(string root)
    {
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
            arguments["path"] = path switch
            {
                PathModel.Inside => root + "/a.txt",
                PathModel.Outside => "/etc/passwd",
                _ => root + "/../secret",
            };
        }

        return new JsonObject { ["name"] = Tool, ["arguments"] = arguments }.ToJsonString();
    }

    /// <summary>Equal where two calls have the same canonical arguments.</summary>
    public string ArgumentsKey => $"{N}|{Text}|{Path}|{IsMistyped}";
}
