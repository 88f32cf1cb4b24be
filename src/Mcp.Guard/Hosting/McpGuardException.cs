using ModelContextProtocol;

namespace Mcp.Guard;

/// <summary>
/// A message was stopped by the guard on this side, not by the server. Its message is safe to show to a model: it names the code and the decision,
/// never a rule, a path or a server's text.
/// </summary>
public sealed class McpGuardException : McpException
{
    /// <summary>Makes an exception without a denial; for serialisers and tests.</summary>
    public McpGuardException()
        : this(GuardDenialCodes.GuardFault, string.Empty, null)
    {
    }

    /// <summary>Makes an exception with a text of the host.</summary>
    /// <param name="message">The text.</param>
    public McpGuardException(string message)
        : base(message)
    {
        Code = GuardDenialCodes.GuardFault;
        DecisionId = string.Empty;
    }

    /// <summary>Makes an exception with a text and a cause of the host.</summary>
    /// <param name="message">The text.</param>
    /// <param name="innerException">The cause.</param>
    public McpGuardException(string message, Exception? innerException)
        : base(message, innerException)
    {
        Code = GuardDenialCodes.GuardFault;
        DecisionId = string.Empty;
    }

    internal McpGuardException(string code, string decisionId, TimeSpan? retryAfter, string? modelMessage = null)
        : base(DenialText.For(code, modelMessage, retryAfter, decisionId))
    {
        Code = code;
        DecisionId = decisionId;
        RetryAfter = retryAfter;
    }

    /// <summary>The stable denial code; see <see cref="GuardDenialCodes"/>.</summary>
    public string Code { get; }

    /// <summary>The id under which the audit holds the decision and its reason; empty where none was recorded.</summary>
    public string DecisionId { get; }

    /// <summary>When the same request can succeed, where known.</summary>
    public TimeSpan? RetryAfter { get; }
}
