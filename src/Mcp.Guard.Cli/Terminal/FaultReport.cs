using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Isolation;
using Mcp.Guard.Packages;
using ModelContextProtocol;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>What is said of an exception that ended a verb: one clear message, details of a policy line by line, the next step. Never a stack trace.</summary>
/// <param name="Message">What is wrong.</param>
/// <param name="Next">What to do; may be empty.</param>
/// <param name="ExitCode">What the command ends with.</param>
/// <param name="Errors">The errors of a policy.</param>
internal sealed record FaultReport(string Message, string Next, int ExitCode, IReadOnlyList<GuardPolicyError> Errors)
{
    /// <summary>Lines shown above the message.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Names a known fault; of an unknown one its type and message.</summary>
    public static FaultReport Of(Exception fault)
    {
        switch (fault)
        {
            case CommandFault known:
                return new(known.Message, known.Next, known.ExitCode, known.Errors) { Details = known.Details };
            case McpGuardPolicyException policy:
                string head = policy.Errors.Count == 1 ? "the policy is not acceptable" : $"the policy is not acceptable ({policy.Errors.Count} errors)";
                return new(head, "Mend what is named above; docs/policy.md and the published schema describe every key.", ExitCodes.BadInput, policy.Errors);
            case McpGuardConfigurationException:
                return Bad(fault.Message, "Mend that in the policy; docs/policy.md describes every key.");
            case IsolationException isolation:
                return Bad(isolation.Message, "Mend the server's \"isolation\"; docs/isolation.md lists what each mode needs.");
            case PackageException:
                // What the registry's client said is in it: several lines, and possibly credentials of its configuration.
                return Bad(ServerText.ForLog(fault.Message.ReplaceLineEndings(" ")), "See that name and version are right and that the registry can be reached; --npm-registry and --nuget-source name another.");
            case AuditUnavailableException:
                return Bad($"the audit cannot be written: {fault.Message}", "See that the audit directory is on a disk with room and belongs to you, or name another in audit.directory.");
            case McpGuardException denied:
                return Bad(WithCause(denied), "The audit holds the reason; 'mcp-guard check POLICY --against SERVER' shows what the guard does with this server.");
            case McpException protocol:
                return Bad($"the server answered with an error: {ServerText.ForLog(protocol.Message)}", "See what the server writes to standard error, and that its arguments are right.");
            case FileNotFoundException file when file.FileName is { } name && !name.Contains(", Version=", StringComparison.Ordinal):
                return Bad($"there is no file {file.FileName}", "Check the spelling of the path; 'mcp-guard init' writes a new policy.");
            case DirectoryNotFoundException:
                return Bad(fault.Message, "Check the spelling of the path.");
            case UnauthorizedAccessException:
                return Bad(fault.Message, "Run the command as the user that owns the file.");
            case JsonException json:
                return Bad(json.LineNumber is { } line ? $"unreadable JSON at line {line + 1}: {json.Message}" : $"unreadable JSON: {json.Message}", "Mend the JSON at that place.");
            case OperationCanceledException:
                return Bad("cancelled", string.Empty);
            case IOException or HttpRequestException or TimeoutException or System.Net.Sockets.SocketException:
                return Bad(ServerText.ForLog(fault.Message), "See that what is named can be reached and used, and that the disk has room.");
            default:
                return Bad($"mcp-guard itself failed: {ServerText.Describe(fault)}", "This is a fault of mcp-guard. Report it with the command line and this message.");
        }
    }

    /// <summary>The same for the start of a server: JSON that cannot be read is then the server's answer and no file of the user's.</summary>
    public static FaultReport OfServer(Exception fault) => fault is JsonException
        ? Bad("it answered with something that is no answer of MCP", "See that this program is an MCP server, and of a version that the guard speaks.")
        : Of(fault);

    private static FaultReport Bad(string message, string next) => new(message, next, ExitCodes.BadInput, []);

    /// <summary>The message of a denial tells no reason, for it is made for models. The person at the terminal is the one who may know.</summary>
    private static string WithCause(McpGuardException denied)
    {
        Exception? cause = denied.InnerException;
        while (cause is McpException or AggregateException && cause.InnerException is { } inner)
        {
            cause = inner;
        }

        return cause is null ? denied.Message : $"{denied.Message}: {(cause is IsolationException or PackageException ? cause.Message : ServerText.Describe(cause))}";
    }
}
