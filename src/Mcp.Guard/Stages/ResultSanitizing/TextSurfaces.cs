namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>The words for a <see cref="TextSurface"/> in corpora and on the command line.</summary>
internal static class TextSurfaces
{
    /// <summary>The surface that a word such as <c>tool.result</c> names; an unknown word is the strictest surface.</summary>
    public static TextSurface Parse(string word) => word switch
    {
        "tool.name" or "prompt.name" or "param.name" => TextSurface.Name,
        "tool.result" or "tool.error" or "error" or "result" or "prompt" or "log" or "progress" or "stderr" => TextSurface.Result,
        "resource" => TextSurface.Resource,
        _ => TextSurface.Description,
    };
}
