using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Pipeline;

/// <summary>A request from the client to the server, with what the built-in stages share about it.</summary>
internal sealed class RequestContext : GuardRequestContext
{
    private int _serverRequests;
    private string? _argumentsDigest;

    public RequestContext(ConnectionState connection, PolicySnapshot policy, ServerSettings? settings, GuardCaller caller, string decisionId, string method)
    {
        Connection = connection;
        Policy = policy;
        Settings = settings;
        Caller = caller;
        DecisionId = decisionId;
        Method = method;
        Kind = MethodTable.KindOf(method);
    }

    public override McpServerIdentity Server => Connection.Server;

    public override GuardCaller Caller { get; }

    public override string DecisionId { get; }

    public override string Method { get; }

    public override JsonElement Payload => Current;

    public override string? ProtocolVersion => Connection.ProtocolVersion;

    public override string PolicyRevision => Policy.Revision;

    public override string? Target => TargetName;

    public override JsonElement Arguments => ArgumentsElement;

    public override McpToolDefinition? Tool => Entry?.Definition;

    /// <summary>Adds a reason to ask a person.</summary>
    public void Ask(string stage, string code, string reason) => (AskReasons ??= new(capacity: 1)).Add(new GuardAskReason(stage, code, reason));

    /// <summary>Counts a request of the server that this call caused; how many there are now.</summary>
    public int CountServerRequest() => Interlocked.Increment(ref _serverRequests);

    public override bool IsDestructive =>
        Kind == RequestKind.ToolCall
        && (Entry is null || ToolDanger.Weigh(Entry.Hints, Settings is { Trusted: true }, HasVerdict ? Verdict.Destructive : null).IsDestructive);

    public override IReadOnlyList<string> MatchedRules => HasVerdict ? Verdict.RuleIds : [];

    public override bool IsAfterConsent => ConsentGiven;

    public RequestKind Kind { get; }

    public ConnectionState Connection { get; }

    public PolicySnapshot Policy { get; private set; }

    /// <summary>The server's part of the policy; null where the policy in force no longer names it.</summary>
    public ServerSettings? Settings { get; private set; }

    /// <summary>Why the message cannot be judged at all; denies <c>arguments-malformed</c> before any stage.</summary>
    public string? Fault { get; set; }

    /// <summary>Why the message is denied before any stage, where it is not its form: a continuation of no open call.</summary>
    public GuardDenial? Refusal { get; set; }

    /// <summary>The judged value. Set through <see cref="SetPayload(RequestPayload)"/>.</summary>
    public RequestPayload Parameters { get; private set; } = RequestPayload.None;

    /// <summary>The same as an element, which is made when it is first asked for.</summary>
    public JsonElement Current => Parameters.Element;

    public string? TargetName { get; private set; }

    public JsonElement ArgumentsElement => Parameters.Arguments;

    /// <summary>The tool in the connection's catalogue, once the pinning stage has found it.</summary>
    public ToolEntry? Entry { get; set; }

    /// <summary>What the rules say; meaningless until <see cref="HasVerdict"/>.</summary>
    public RuleVerdict Verdict { get; private set; }

    public bool HasVerdict { get; private set; }

    /// <summary>Why a person must be asked, in the order of the stages.</summary>
    public List<GuardAskReason>? AskReasons { get; set; }

    /// <summary>What the guard changed in the request, for the audit: stage and code of each change.</summary>
    public List<string>? Changes { get; set; }

    /// <summary>Whether the policy in force when the request came had credentials taken out of it.</summary>
    public bool ArgumentsRedacted { get; set; }

    /// <summary>True while the stages run again after a person agreed.</summary>
    public bool ConsentGiven { get; set; }

    /// <summary>How consent was given, for the audit: a grant's id, or the person.</summary>
    public string? ConsentNote { get; set; }

    /// <summary>The W3C trace id of the request's span, or of the caller's where nobody listens to the guard's; kept because the reply arrives in no trace.</summary>
    public string? TraceId { get; set; }

    /// <summary>The call that this one continues after an <c>input_required</c> result, where it is one.</summary>
    public Continuation? Continues { get; set; }

    /// <summary>Stage and code of what a dry run let pass; null where nothing.</summary>
    public List<string>? PassedByDryRun { get; set; }

    /// <summary>
    /// The flow of control of whoever made the request: what a person is asked because of its reply, or of a request of the server, is asked there, for the loop
    /// over the server's messages runs in no caller's. Null where no transport has said so.
    /// </summary>
    public ExecutionContext? CallerFlow { get; set; }

    /// <summary>Runs what asks a person in that flow.</summary>
    public ValueTask<T> InCallerFlow<T>(Func<ValueTask<T>> ask)
    {
        if (CallerFlow is null)
        {
            return ask();
        }

        ValueTask<T> asking = default;
        ExecutionContext.Run(CallerFlow, _ => asking = ask(), null);
        return asking;
    }

    /// <summary>Where the request stands in the calls that one root call caused through sampling; null where no transport has said so.</summary>
    public CallChain? Chain { get; set; }

    /// <summary>True where the call is the guard's own (a list request that it makes for itself).</summary>
    public bool IsOwn { get; init; }

    /// <summary>Where a list that this request asked for goes on; null after its last page.</summary>
    public string? NextCursor { get; set; }

    /// <summary>The fingerprint of the definition that a person agreed to; null until one did. The call may go on with no other.</summary>
    public string? ConsentedFingerprint { get; set; }

    /// <summary>The digest over the canonical arguments, computed once; null where they have no canonical form.</summary>
    public string? ArgumentsDigestOrNull => _argumentsDigest ??= Parameters.ComputeArgumentsDigest();

    /// <summary>Digest over the canonical arguments; computed once.</summary>
    /// <exception cref="InvalidOperationException">The arguments have no canonical form; a stage that needs one then denies.</exception>
    public string ArgumentsDigest => ArgumentsDigestOrNull ?? throw new InvalidOperationException("The arguments have no canonical form.");

    /// <summary>Sets the value and reads from it what the request is about. A target of another type than text is a fault.</summary>
    public void SetPayload(RequestPayload payload)
    {
        Parameters = payload;
        _argumentsDigest = null;
        TargetName = null;
        string? member = MethodTable.TargetMember(Kind);
        if (payload.IsMissing)
        {
            Fault = member is null ? Fault : $"'{Method}' has no '{member}'";
            return;
        }

        if (!payload.IsObject)
        {
            Fault = "params is not an object";
            return;
        }

        if (member is not null && (TargetName = payload.TextOf(MethodTable.TargetMemberUtf8(Kind))) is null)
        {
            Fault = $"'{member}' is missing or not a text";
            return;
        }

        if (Kind is RequestKind.ToolCall or RequestKind.Prompt && !payload.TryFindArguments())
        {
            Fault = "'arguments' is not an object";
        }
    }

    /// <summary>The same for a value that a parser has read.</summary>
    public void SetPayload(JsonElement payload) => SetPayload(RequestPayload.Of(payload));

    /// <summary>Where the name is one under which a tool was listed because another server has the same: takes the exact one in its place.</summary>
    public void UseExactName()
    {
        if (Kind == RequestKind.ToolCall && Fault is null && Connection.Tools.ExactNameOf(TargetName!) is { } exact && Connection.Tools.Find(TargetName!) is null)
        {
            SetPayload(JsonMembers.Replace(Current, "name"u8, writer => writer.WriteString("name"u8, exact)));
        }
    }

    /// <summary>Goes on under the policy that is in force now: after a person's answer another one may be than when the call was first judged.</summary>
    /// <returns>Whether it is another one.</returns>
    public bool UseCurrentPolicy()
    {
        PolicySnapshot before = Policy;
        Policy = Connection.Policy;
        Settings = Connection.Settings(Policy);
        return !ReferenceEquals(before, Policy);
    }

    public void SetVerdict(RuleVerdict verdict)
    {
        Verdict = verdict;
        HasVerdict = true;
    }
}
