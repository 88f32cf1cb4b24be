using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What one rule says about URLs in arguments, compiled: which may stand there, and which arguments are URLs whatever they look like.</summary>
internal sealed class UrlArgumentRules
{
    private UrlArgumentRules(UrlAllowlist allowlist, JsonPointerPattern[] declared, string? problem)
    {
        Allowlist = allowlist;
        Declared = declared;
        Problem = problem;
    }

    public UrlAllowlist Allowlist { get; }

    public IReadOnlyList<JsonPointerPattern> Declared { get; }

    /// <summary>Why the rule cannot be used and every call is denied; null where it can.</summary>
    public string? Problem { get; }

    public static UrlArgumentRules Create(Policy.UrlAllowlist source)
    {
        UrlAllowlist allowlist = UrlAllowlist.Create(source.Patterns);
        string? problem = allowlist.Problems.Count > 0 ? $"a URL pattern of a rule cannot be used: {allowlist.Problems[0].Message}" : null;
        var declared = new List<JsonPointerPattern>(source.Arguments.Count);
        foreach (string pointer in source.Arguments)
        {
            if (JsonPointerPattern.TryParse(pointer, out JsonPointerPattern? pattern))
            {
                declared.Add(pattern!);
            }
            else
            {
                problem ??= $"'{pointer}' of a rule's URL arguments is no JSON Pointer";
            }
        }

        return new UrlArgumentRules(allowlist, [.. declared], problem);
    }
}
