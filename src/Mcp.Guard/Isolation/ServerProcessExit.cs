namespace Mcp.Guard.Isolation;

/// <summary>How a server process ended.</summary>
/// <param name="Code">Exit code; 128 + signal where a signal ended it; null where the system did not tell.</param>
/// <param name="Requested">Whether the guard ended it.</param>
/// <param name="ErrorTail">The last lines of standard error, sanitised. Text from the server.</param>
internal sealed record ServerProcessExit(int? Code, bool Requested, IReadOnlyList<string> ErrorTail);
