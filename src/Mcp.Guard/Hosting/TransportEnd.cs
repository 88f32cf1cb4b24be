using ModelContextProtocol.Client;

namespace Mcp.Guard.Hosting;

/// <summary>Why a connection ended, without the server's own words: exit code, HTTP status and a cleaned tail of standard error stay, texts of exceptions do not.</summary>
internal static class TransportEnd
{
    /// <summary>Lines of standard error that are handed on: the last ones.</summary>
    private const int MaxLines = 64;

    /// <summary>What the host's client is given for the exception that the inner transport ended with.</summary>
    public static Exception Of(string serverId, Exception failure)
    {
        var plain = new IOException($"The connection to the server '{serverId}' ended ({failure.GetType().Name}).");
        return failure is not ClientTransportClosedException closed
            ? plain
            : closed.Details switch
            {
                StdioClientCompletionDetails process => new ClientTransportClosedException(new StdioClientCompletionDetails
                {
                    ProcessId = process.ProcessId,
                    ExitCode = process.ExitCode,
                    StandardErrorTail = process.StandardErrorTail is { } tail ? [.. tail.TakeLast(MaxLines).Select(ServerText.ForLog)] : null,
                    Exception = process.Exception is null ? null : plain,
                }),
                HttpClientCompletionDetails http => new ClientTransportClosedException(new HttpClientCompletionDetails
                {
                    HttpStatusCode = http.HttpStatusCode,
                    Exception = http.Exception is null ? null : plain,
                }),
                { } other => new ClientTransportClosedException(new ClientCompletionDetails { Exception = other.Exception is null ? null : plain }),
                null => plain,
            };
    }
}
