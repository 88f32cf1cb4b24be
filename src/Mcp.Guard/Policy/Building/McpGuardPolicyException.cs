namespace Mcp.Guard;

/// <summary>A policy is not acceptable; the host does not start, or keeps the last good policy.</summary>
public sealed class McpGuardPolicyException : Exception
{
    /// <summary>Reports every error that was found.</summary>
    /// <param name="errors">The errors, in the order of the document; at least one.</param>
    /// <exception cref="ArgumentException">There is no error.</exception>
    public McpGuardPolicyException(IReadOnlyList<GuardPolicyError> errors)
        : this(errors, null)
    {
    }

    /// <summary>The same, with what caused it.</summary>
    /// <param name="errors">The errors, in the order of the document; at least one.</param>
    /// <param name="innerException">The cause, or null.</param>
    /// <exception cref="ArgumentException">There is no error.</exception>
    public McpGuardPolicyException(IReadOnlyList<GuardPolicyError> errors, Exception? innerException)
        : base(Describe(errors), innerException) => Errors = errors;

    /// <summary>Every error that was found, at most 100.</summary>
    public IReadOnlyList<GuardPolicyError> Errors { get; }

    private static string Describe(IReadOnlyList<GuardPolicyError> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (errors.Count == 0)
        {
            throw new ArgumentException("A policy exception needs at least one error.", nameof(errors));
        }

        string head = errors.Count == 1 ? "The policy is not acceptable: " : $"The policy is not acceptable ({errors.Count} errors):{Environment.NewLine}";
        return head + string.Join(Environment.NewLine, errors);
    }
}
