namespace Mcp.Guard.Cli.Terminal;

/// <summary>A verb cannot go on, for a reason that its user can mend. The one place that catches it (<see cref="CommandLine"/>) prints it and ends with <see cref="ExitCode"/>.</summary>
/// <param name="message">What is wrong, in one sentence, without a full stop.</param>
/// <param name="next">What to do about it; empty where the message says it.</param>
/// <param name="exitCode">2 for bad usage or input, 1 for a negative verdict.</param>
/// <param name="cause">What it was found by.</param>
internal sealed class CommandFault(string message, string next = "", int exitCode = ExitCodes.BadInput, Exception? cause = null) : Exception(message, cause)
{
    public string Next { get; } = next;

    public int ExitCode { get; } = exitCode;

    /// <summary>The errors of a policy, shown with their places.</summary>
    public IReadOnlyList<GuardPolicyError> Errors { get; init; } = [];

    /// <summary>Lines shown above the message, such as the end of what a server wrote to standard error.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
