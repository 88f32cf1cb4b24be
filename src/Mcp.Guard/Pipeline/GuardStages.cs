namespace Mcp.Guard;

/// <summary>The names of the built-in stages, for placing a stage of your own before or after one of them.</summary>
public static class GuardStages
{
    /// <summary>Stops that a person set.</summary>
    public const string KillSwitch = "kill-switch";

    /// <summary>The method table: what is not listed is denied.</summary>
    public const string Methods = "methods";

    /// <summary>A caller, where the policy requires one.</summary>
    public const string Caller = "caller";

    /// <summary>The policy's rules.</summary>
    public const string Rules = "rules";

    /// <summary>Known, unchanged tools.</summary>
    public const string ToolPinning = "tool-pinning";

    /// <summary>The token limit of prompts and messages.</summary>
    public const string PromptLimit = "prompt-limit";

    /// <summary>Arguments against the tool's schema.</summary>
    public const string Schema = "schema";

    /// <summary>Paths and file URIs against the roots.</summary>
    public const string Roots = "roots";

    /// <summary>URLs in arguments against the rule's allowlist.</summary>
    public const string Urls = "urls";

    /// <summary>What a session may spend.</summary>
    public const string Budgets = "budgets";

    /// <summary>Calls per time.</summary>
    public const string RateLimit = "rate-limit";

    /// <summary>A person's consent; the last request stage.</summary>
    public const string Consent = "consent";

    /// <summary>Size and depth of results.</summary>
    public const string ResultLimit = "result-limit";

    /// <summary><c>structuredContent</c> against the tool's output schema.</summary>
    public const string ResultSchema = "result-schema";

    /// <summary>Images, audio and other binary content of results against what it declares.</summary>
    public const string Media = "media";

    /// <summary>Text of results without what hides or commands.</summary>
    public const string ResultSanitizing = "result-sanitizing";

    /// <summary>Credentials in results, where the policy says so.</summary>
    public const string Redaction = "redaction";

    /// <summary>A person's consent to a result that a stage asked about; the last stage that may ask or replace.</summary>
    public const string ResultConsent = "result-consent";

    /// <summary>Results marked as data for the model, where the policy says so.</summary>
    public const string ResultFraming = "result-framing";

    /// <summary>Sampling and elicitation, where the policy allows them; the first stage of a server's request.</summary>
    public const string ServerRequests = "server-requests";

    /// <summary>How often a server may ask.</summary>
    public const string ServerRequestRate = "server-request-rate";

    /// <summary>A person's consent to a server's request; the last stage before which a stage of yours can stand.</summary>
    public const string ServerRequestConsent = "server-request-consent";

    /// <summary>The guard's heading over what a server asks a person; always the last.</summary>
    public const string ServerRequestOrigin = "server-request-origin";
}
