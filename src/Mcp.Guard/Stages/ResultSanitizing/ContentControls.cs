using System.Runtime.CompilerServices;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What the policy says about the content of messages, made ready to run: one object for each set of result settings.</summary>
internal sealed class ContentControls
{
    private static readonly ConditionalWeakTable<ResultSettings, ContentControls> Known = [];

    private ContentControls(ResultSettings settings)
    {
        Settings = settings;
        Sanitizer = new JsonSanitizer(new TextSanitizer(new RemoteReferencePolicy(
            ActionOf(settings.RemoteReferences), ActionOf(settings.LinksWithQuery), settings.AllowedHosts)));
        Media = new MediaCheck(settings.MediaTypes, settings.MediaMaxBytes);
        Bounds = ResultLimitStage.BoundsOf(settings);
    }

    public ResultSettings Settings { get; }

    public JsonSanitizer Sanitizer { get; }

    public MediaCheck Media { get; }

    public ResultLimits Bounds { get; }

    public static ContentControls Of(ResultSettings settings) => Known.GetValue(settings, static source => new ContentControls(source));

    /// <summary>Those of the rules that matched the call, or of its server.</summary>
    public static ContentControls Of(ResultContext context) =>
        Of(context.Call.HasVerdict && context.Call.Verdict.Results is { } own ? own : context.Call.Settings!.Limits.Results);

    private static RemoteReferenceAction ActionOf(Policy.RemoteReferences references) => references switch
    {
        Policy.RemoteReferences.Keep => RemoteReferenceAction.Keep,
        Policy.RemoteReferences.Defang => RemoteReferenceAction.Defang,
        _ => RemoteReferenceAction.Remove,
    };
}
