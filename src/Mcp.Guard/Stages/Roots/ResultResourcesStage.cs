using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// Resource links, embedded resources and read resources in a result: what names a file must lie in the roots, as in a request. A host follows a link with its
/// own rights, and a resource from outside shows that the server reads there. The result is denied.
/// </summary>
internal sealed class ResultResourcesStage(ResourceUriCheck check) : IGuardStage<ResultContext>
{
    private const int MaxDepth = 8;

    public string Name => "result-resources";

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        if (context.IsError || context.Current.ValueKind != JsonValueKind.Object || JsonWords.Lacks(context.Current, "uri"u8))
        {
            return new(GuardDecision.Continue);
        }

        foreach (JsonProperty member in context.Current.EnumerateObject())
        {
            if ((member.NameEquals("content"u8) || member.NameEquals("messages"u8) || member.NameEquals("contents"u8))
                && FindDenied(member.Value, 0, context) is { } why)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.PathOutsideRoots, $"a resource of the result: {why}"));
            }
        }

        return new(GuardDecision.Continue);
    }

    private string? FindDenied(JsonElement value, int depth, ResultContext context)
    {
        if (depth > MaxDepth && value.ValueKind is (JsonValueKind.Array or JsonValueKind.Object))
        {
            return "it lies deeper than any content block"; // and a host may look there all the same
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                if (FindDenied(item, depth + 1, context) is { } why)
                {
                    return why;
                }
            }

            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (JsonProperty member in value.EnumerateObject())
        {
            string? denied = member.NameEquals("uri"u8) && member.Value.ValueKind == JsonValueKind.String
                ? check.Judge(context.Call.Settings!, context.Call.Policy, JsonText.GetString(member.Value))
                : member.NameEquals("resource"u8) || member.NameEquals("content"u8) || member.NameEquals("messages"u8)
                    ? FindDenied(member.Value, depth + 1, context)
                    : null;
            if (denied is not null)
            {
                return denied;
            }
        }

        return null;
    }
}
