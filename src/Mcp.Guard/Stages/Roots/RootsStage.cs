using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// Every path and file URI of a request must lie inside the server's roots, links resolved at this moment, and outside the guard's own files. Where a host
/// puts another normaliser in place, both must agree.
/// </summary>
internal sealed class RootsStage(IRootNormalizer normalizer, ResourceUriCheck uris) : IGuardStage<RequestContext>
{
    private readonly ConditionalWeakTable<PathSettings, PathRulesOfTools> _rules = [];

    public string Name => GuardStages.Roots;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct) => new(context.Kind switch
    {
        RequestKind.ToolCall => JudgeArguments(context),
        RequestKind.Resource => JudgeUri(context, context.TargetName!),
        RequestKind.Subscription => JudgeSubscriptions(context),
        _ => GuardDecision.Continue,
    });

    private static GuardDecision Outside(string where, string why) =>
        GuardDecision.Deny(GuardDenialCodes.PathOutsideRoots, where.Length == 0 ? why : $"'{where}': {why}");

    private RootSet RootsOf(RequestContext context) => uris.RootsOf(context.Settings!);

    /// <summary>
    /// Where a relative path starts: where the server itself would resolve it. That is known only for a working directory that the policy sets, and for
    /// paths that are forwarded in their normalised form, which start at the first root. Otherwise a folder of the guard's own stands for the unknown one:
    /// it lies outside every root, so that a relative path, which the server could take for another file than was judged, is denied.
    /// </summary>
    private static string? BaseOf(RequestContext context, PathSettings? settings) => settings is { Rewrite: true }
        ? null
        : context.Settings is { Endpoint: CommandEndpoint or PackageEndpoint, Isolation.WorkingDirectory: { } folder }
            ? folder
            : context.Policy.UnknownWorkingDirectory;

    private GuardDecision JudgeArguments(RequestContext context)
    {
        if (!context.Parameters.HasArguments)
        {
            return GuardDecision.Continue;
        }

        PathSettings? settings = context.Verdict.Paths;
        PathArgumentRules rules = settings is null ? context.Entry!.DefaultPathRules : _rules.GetOrCreateValue(settings).For(settings, context.Entry!);
        bool writes = settings is null || settings.Access == RootAccess.ReadWrite;
        List<PathArgument>? found = NeedsFound(settings) ? [] : null;
        PathArgument? denied = PathArgumentCheck.FindDenied(context.Parameters, rules, RootsOf(context), BaseOf(context, settings), writes, found, context.Policy.Protected);
        if (denied is { } argument)
        {
            return Outside(argument.Pointer, argument.Verdict.Message);
        }

        if (found is null)
        {
            return GuardDecision.Continue;
        }

        foreach (PathArgument path in found)
        {
            if (normalizer is not RootNormalizer && !normalizer.Normalize(path.Verdict.Normalized!, RootInputKind.Path, context.Settings!.Roots).IsAllowed)
            {
                return Outside(path.Pointer, "the host's normaliser denies it");
            }
        }

        return settings is { Rewrite: true } && found.Count > 0 ? Rewrite(context, found) : GuardDecision.Continue;
    }

    private bool NeedsFound(PathSettings? settings) => settings is { Rewrite: true } || normalizer is not RootNormalizer;

    private GuardDecision JudgeUri(RequestContext context, string uri) =>
        uris.Judge(context.Settings!, context.Policy, uri) is { } why ? Outside("uri", why) : GuardDecision.Continue;

    private GuardDecision JudgeSubscriptions(RequestContext context)
    {
        foreach (string uri in Subscriptions.UrisOf(context.Current))
        {
            GuardDecision decision = JudgeUri(context, uri);
            if (decision.Kind != GuardDecisionKind.Continue)
            {
                return decision;
            }
        }

        return GuardDecision.Continue;
    }

    private static GuardDecision Rewrite(RequestContext context, List<PathArgument> found)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in context.Current.EnumerateObject())
            {
                if (member.NameEquals("arguments"u8))
                {
                    writer.WritePropertyName("arguments"u8);
                    PathArgumentCheck.WriteRewritten(member.Value, found, writer);
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        JsonElement rewritten = JsonElement.Parse(buffer.WrittenSpan);
        return string.Equals(rewritten.GetRawText(), context.Current.GetRawText(), StringComparison.Ordinal)
            ? GuardDecision.Continue
            : GuardDecision.Replace(rewritten, "paths-normalised", "paths are forwarded in their normalised form");
    }
}
