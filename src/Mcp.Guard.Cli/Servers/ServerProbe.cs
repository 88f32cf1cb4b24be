using System.Text.Json;
using Mcp.Guard.Approvals;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Hosting;
using Mcp.Guard.Packages;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Cli.Servers;

/// <summary>
/// Starts one server of a policy once, through the guard and in its isolation, and asks what it offers. No tool is called, nothing is pinned, granted or
/// recorded, and the server is ended.
/// </summary>
internal static class ServerProbe
{
    /// <param name="policy">The policy that names the server.</param>
    /// <param name="serverId">Its id.</param>
    /// <param name="pins">What was pinned before; null for a first sight.</param>
    /// <param name="secrets">Values of secrets by name, besides those of the environment.</param>
    /// <param name="timeout">How long start and lists may take together.</param>
    /// <param name="ct">Cancels the work.</param>
    /// <exception cref="CommandFault">The policy names no such server, or it does not start, does not answer, or answers with what no list may hold.</exception>
    public static async Task<ProbedServer> RunAsync(
        PolicySnapshot policy, string serverId, IPinStore? pins, IReadOnlyDictionary<string, string>? secrets, TimeSpan timeout, CancellationToken ct)
    {
        if (!policy.Servers.TryGetValue(serverId, out ServerSettings? settings))
        {
            throw Unknown(policy, serverId);
        }

        if (settings.Endpoint is HostProvidedEndpoint)
        {
            throw new CommandFault($"the server '{serverId}' is provided by a host, so that there is nothing to start here", "Name a server with url, command or package.");
        }

        var store = new OverlayPinStore(pins);
        using var errors = new StandardErrorTail();
        using var deadline = new CancellationTokenSource(timeout, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        ServiceProvider provider = LookingGuard.Create(policy, store, secrets, errors);
        await using (provider.ConfigureAwait(false))
        {
            var guard = provider.GetRequiredService<McpGuardHost>();
            try
            {
                McpClient client = await guard.ConnectAsync(serverId, null, both.Token).ConfigureAwait(false);
                await using (client.ConfigureAwait(false))
                {
                    ConnectionState connection = await ListAsync(client, both.Token).ConfigureAwait(false);
                    return new ProbedServer(
                        [.. connection.Tools.Tools.Values.OrderBy(static tool => tool.Definition.Name, StringComparer.Ordinal)],
                        await store.ReadAsync(settings.Identity, both.Token).ConfigureAwait(false),
                        guard.Reviews.List(serverId),
                        client.ServerCapabilities.Prompts is not null,
                        client.ServerCapabilities.Resources is not null);
                }
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                throw Failed(serverId, $"it did not answer within {timeout.TotalSeconds:0} s", errors.Lines);
            }
            catch (Exception failure) when (failure is McpException or IOException or HttpRequestException or PackageException or InvalidOperationException or JsonException)
            {
                throw Failed(serverId, ReasonOf(failure, serverId), errors.Lines, failure);
            }
        }
    }

    /// <summary>What is said of an id that a policy does not have.</summary>
    public static CommandFault Unknown(PolicySnapshot policy, string serverId) => new(
        $"the policy names no server '{serverId}'",
        policy.Servers.Count == 0 ? "It names no server at all." : $"It names {string.Join(", ", policy.Servers.Keys.Order(StringComparer.Ordinal).Take(20))}.");

    private static async Task<ConnectionState> ListAsync(McpClient client, CancellationToken ct)
    {
        using var probe = new ConnectionProbe();
        await client.ListToolsAsync(cancellationToken: ct).ConfigureAwait(false);

        return probe.Found ?? throw new InvalidOperationException("the list did not go through the guard");
    }

    private static CommandFault Failed(string serverId, string reason, IReadOnlyList<string> errors, Exception? cause = null) => new(
        $"the server '{serverId}' did not start: {reason}",
        "See that its command, arguments and environment are right; what it may reach is in docs/isolation.md.",
        cause: cause)
    {
        Details = [.. errors.Select(static line => "its standard error: " + line)],
    };

    /// <summary>The guard's own words where it refused; of everything else its kind, and what the transport told of its end.</summary>
    private static string ReasonOf(Exception failure, string serverId)
    {
        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            if (at is JsonException)
            {
                return FaultReport.OfServer(at).Message;
            }

            if (at is ClientTransportClosedException { Details: StdioClientCompletionDetails { ExitCode: { } code } })
            {
                return $"it ended with exit code {code}";
            }

            if (at is ClientTransportClosedException { Details: HttpClientCompletionDetails { HttpStatusCode: { } status } })
            {
                return $"it answered with HTTP status {(int)status}";
            }
        }

        if (failure is McpGuardException { Code: GuardDenialCodes.ServerUnavailable })
        {
            return "it ended before it answered";
        }

        string prefix = $"The server '{serverId}' was not started: ";
        return failure is McpGuardException && failure.Message.StartsWith(prefix, StringComparison.Ordinal)
            ? failure.Message[prefix.Length..].TrimEnd('.')
            : ServerText.ForLog(failure.Message).TrimEnd('.');
    }
}
