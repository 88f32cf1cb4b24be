namespace Mcp.Guard;

/// <summary>The stable denial codes. Codes are added, never reused or renamed.</summary>
public static class GuardDenialCodes
{
    /// <summary>The server is in no policy, or is reached in a way that the policy does not list.</summary>
    public const string ServerNotAllowed = "server-not-allowed";

    /// <summary>The server could not be started or reached as the policy demands.</summary>
    public const string ServerUnavailable = "server-unavailable";

    /// <summary>The protocol method is not in the method table, or is switched off.</summary>
    public const string MethodNotAllowed = "method-not-allowed";

    /// <summary>A person stopped this scope.</summary>
    public const string Halted = "halted";

    /// <summary>A rule of the policy denies it.</summary>
    public const string RuleDenied = "rule-denied";

    /// <summary>The server lists no such tool.</summary>
    public const string ToolUnknown = "tool-unknown";

    /// <summary>The policy requires a caller and the call has none.</summary>
    public const string CallerRequired = "caller-required";

    /// <summary>The tool's definition is not the one that was pinned.</summary>
    public const string ToolChanged = "tool-changed";

    /// <summary>The name collides with, or imitates, another one.</summary>
    public const string NameCollision = "name-collision";

    /// <summary>The parameters are not acceptable JSON: duplicate keys, lone surrogates, too deep or too large.</summary>
    public const string ArgumentsMalformed = "arguments-malformed";

    /// <summary>The arguments do not match the tool's schema or the policy's constraints.</summary>
    public const string ArgumentsInvalid = "arguments-invalid";

    /// <summary>The tool's own schema is not acceptable, so its arguments cannot be checked.</summary>
    public const string SchemaRefused = "schema-refused";

    /// <summary>A path or file URI lies outside the permitted roots, or is ambiguous.</summary>
    public const string PathOutsideRoots = "path-outside-roots";

    /// <summary>A URL is not on the allowlist.</summary>
    public const string UrlNotAllowed = "url-not-allowed";

    /// <summary>A prompt or message has more tokens than permitted.</summary>
    public const string PromptTooLong = "prompt-too-long";

    /// <summary>More calls than the rate limit admits.</summary>
    public const string RateLimited = "rate-limited";

    /// <summary>More calls run at the same time than permitted.</summary>
    public const string TooManyCalls = "too-many-calls";

    /// <summary>A session's budget is spent.</summary>
    public const string BudgetSpent = "budget-spent";

    /// <summary>A person said no, or an earlier no stands.</summary>
    public const string ConsentDenied = "consent-denied";

    /// <summary>No answer arrived in time.</summary>
    public const string ConsentTimeout = "consent-timeout";

    /// <summary>Nobody can be asked, or asking failed.</summary>
    public const string ConsentUnavailable = "consent-unavailable";

    /// <summary>The record of the call could not be written.</summary>
    public const string AuditUnavailable = "audit-unavailable";

    /// <summary>The call took longer than permitted.</summary>
    public const string Timeout = "timeout";

    /// <summary>The result does not match the protocol or the tool's output schema.</summary>
    public const string ResultInvalid = "result-invalid";

    /// <summary>The result is larger or deeper than permitted.</summary>
    public const string ResultTooLarge = "result-too-large";

    /// <summary>A request of the server to the host was refused.</summary>
    public const string ServerRequestRefused = "server-request-refused";

    /// <summary>A retry continues no call that the guard saw ask back.</summary>
    public const string ContinuationInvalid = "continuation-invalid";

    /// <summary>A part of the guard failed, hung or returned nothing; failing closed.</summary>
    public const string GuardFault = "guard-fault";

    /// <summary>Every code, in the order of the documentation.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        ServerNotAllowed,
        ServerUnavailable,
        MethodNotAllowed,
        Halted,
        RuleDenied,
        ToolUnknown,
        CallerRequired,
        ToolChanged,
        NameCollision,
        ArgumentsMalformed,
        ArgumentsInvalid,
        SchemaRefused,
        PathOutsideRoots,
        UrlNotAllowed,
        PromptTooLong,
        RateLimited,
        TooManyCalls,
        BudgetSpent,
        ConsentDenied,
        ConsentTimeout,
        ConsentUnavailable,
        AuditUnavailable,
        Timeout,
        ResultInvalid,
        ResultTooLarge,
        ServerRequestRefused,
        ContinuationInvalid,
        GuardFault,
    ];

    /// <summary>The standard text that the model may read for a code; a neutral sentence for a code that the library does not know.</summary>
    /// <param name="code">A denial code.</param>
    public static string MessageFor(string code) => code switch
    {
        ServerNotAllowed => "This server is not available here.",
        ServerUnavailable => "The server is not available at the moment.",
        MethodNotAllowed => "This kind of request is not available here.",
        Halted => "Calls are stopped by the operator. Do not retry.",
        RuleDenied => "This call is not permitted. Do not retry it.",
        ToolUnknown => "There is no such tool.",
        CallerRequired => "The call has no authenticated caller.",
        ToolChanged => "The tool changed since it was approved and waits for a person's review.",
        NameCollision => "The name is ambiguous and cannot be used.",
        ArgumentsMalformed => "The arguments are not acceptable JSON.",
        ArgumentsInvalid => "The arguments are not valid for this tool.",
        SchemaRefused => "The tool cannot be used: its schema is not acceptable.",
        PathOutsideRoots => "A path in the arguments is outside the permitted folders.",
        UrlNotAllowed => "A URL in the arguments is not permitted.",
        PromptTooLong => "The text is longer than permitted.",
        RateLimited => "Too many calls in a short time.",
        TooManyCalls => "Too many calls run at the same time. Retry when one has ended.",
        BudgetSpent => "The budget of this session is spent.",
        ConsentDenied => "A person declined this call. Do not retry it.",
        ConsentTimeout => "No person answered in time.",
        ConsentUnavailable => "This call needs a person's consent, and nobody can be asked.",
        AuditUnavailable => "The call cannot be made at the moment.",
        Timeout => "The call took longer than permitted and was cancelled.",
        ResultInvalid => "The server's answer was not acceptable.",
        ResultTooLarge => "The server's answer was larger than permitted.",
        ServerRequestRefused => "The server asked for something that is not permitted.",
        ContinuationInvalid => "This request continues no open call. Make the call again from the start.",
        GuardFault => "The call cannot be made at the moment.",
        _ => "This call is not permitted.",
    };
}
