using ModelContextProtocol.Client;

namespace Mcp.Guard;

/// <summary>The guard of one host: connects clients through the policy, says on whose behalf calls are made, and stops what must stop. A singleton.</summary>
public interface IMcpGuard
{
    /// <summary>
    /// Connects to a server of the policy: admission, isolation and launch, transport, guard. The client's sampling, elicitation and roots handlers are
    /// reached only by what the policy lets through.
    /// </summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <param name="options">Options of the client; null for the defaults. The guard changes a copy.</param>
    /// <param name="ct">Cancels connecting.</param>
    /// <exception cref="McpGuardException">The policy does not admit the server, or it cannot be started as the policy demands.</exception>
    Task<McpClient> ConnectAsync(string serverId, McpClientOptions? options = null, CancellationToken ct = default);

    /// <summary>
    /// Puts the guard around a transport that the host built itself. Sizes can then be bounded only after the SDK has read a message.
    /// </summary>
    /// <param name="serverId">The server's id in the policy; the policy must mark it <c>"transport": "unchecked"</c>, for the guard cannot see where the transport leads.</param>
    /// <param name="transport">The transport. It is used for nothing else.</param>
    /// <exception cref="McpGuardException">The policy names no such server.</exception>
    IClientTransport Protect(string serverId, IClientTransport transport);

    /// <summary>
    /// Lists the tools of a guarded connection for <c>ChatOptions.Tools</c>. A tool that the policy can ask about comes as an
    /// <see cref="Microsoft.Extensions.AI.ApprovalRequiredAIFunction"/>, so that a <c>FunctionInvokingChatClient</c> asks before it is called; with
    /// <see cref="McpGuardChatClientExtensions.WithMcpGuardApprovals"/> around that client the approval counts as the consent. The functions judge nothing
    /// themselves, for the transport does, and hand out no tool that lies beneath them.
    /// </summary>
    /// <param name="client">A client whose transport this guard made or protects.</param>
    /// <param name="ct">Cancels listing.</param>
    /// <exception cref="ArgumentException">The client does not go through this guard.</exception>
    /// <exception cref="McpGuardException">The policy does not admit the list.</exception>
    Task<IList<Microsoft.Extensions.AI.AITool>> ListToolsAsync(McpClient client, CancellationToken ct = default);

    /// <summary>
    /// Puts the guard around an HTTP transport that the host builds over the guard's own <see cref="HttpClient"/>: every URL, redirect and DNS answer is judged, and
    /// the policy's headers are added. For what <see cref="ConnectAsync"/> does not offer, such as OAuth. A transport that does not send through that client
    /// fails with its first message.
    /// </summary>
    /// <param name="serverId">The id of a server that the policy reaches by <c>url</c>.</param>
    /// <param name="create">Builds the transport, as in <c>http => new HttpClientTransport(options, http)</c>.</param>
    /// <exception cref="McpGuardException">The policy names no such server, or its URL cannot be used.</exception>
    /// <exception cref="ArgumentException">The server is not reached by URL, or the transport is guarded already.</exception>
    IClientTransport Protect(string serverId, Func<HttpClient, IClientTransport> create);

    /// <summary>
    /// Whether the policy lists a URL, exactly, among the <c>authorizationUrls</c> of a server. Requests of the guard's client are held to that by themselves; a host
    /// asks before it sends a person's browser to a URL that a server's metadata named.
    /// </summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <param name="url">The authorization URL; its query is not judged.</param>
    bool AdmitsAuthorizationUrl(string serverId, Uri url);

    /// <summary>
    /// What <see cref="ConnectAsync"/> would start for a server, as text for review: the command line of its box, environment (names of secrets, never values),
    /// mounts, and each control with whether it is in force on this machine. Starts nothing and asks for no secret. The text is for people; its form may change.
    /// </summary>
    /// <param name="serverId">The id of a server that the policy starts by <c>command</c> or <c>package</c>.</param>
    /// <exception cref="McpGuardException">The policy names no such server, the guard does not start it, or it would be refused; the message says why.</exception>
    string DescribeIsolation(string serverId);

    /// <summary>Says on whose behalf the calls of the current flow of control are made, until the scope is disposed. Scopes nest.</summary>
    /// <param name="caller">The caller.</param>
    IDisposable BeginScope(GuardCaller caller);

    /// <summary>
    /// A connection for hosts that do not use the SDK: they judge each message through <see cref="Policy"/>. The host must be started (<c>IHost.StartAsync</c>):
    /// until the stops in force were read, every message is denied with <see cref="GuardDenialCodes.Halted"/>.
    /// </summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <exception cref="McpGuardException">The policy names no such server.</exception>
    GuardConnection OpenConnection(string serverId);

    /// <summary>Tools and instructions that changed behind their pins, or appeared later, for a person who decides.</summary>
    IToolReviews Reviews { get; }

    /// <summary>The pipeline, for hosts that do not use the SDK.</summary>
    IMcpHostPolicy Policy { get; }

    /// <summary>The revision of the policy in force.</summary>
    string PolicyRevision { get; }

    /// <summary>Stops a scope at once: new messages are denied, open prompts answered with no, running calls cancelled. Recorded.</summary>
    /// <param name="scope">What to stop.</param>
    /// <param name="reason">Why, for the audit and for people.</param>
    /// <param name="ct">Cancels the wait for the store and the audit; the stop of this host is in force already.</param>
    ValueTask HaltAsync(HaltScope scope, string reason, CancellationToken ct = default);

    /// <summary>Ends a stop. Recorded.</summary>
    /// <param name="scope">Exactly the scope that was stopped.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>Whether it was stopped.</returns>
    ValueTask<bool> ResumeAsync(HaltScope scope, CancellationToken ct = default);

    /// <summary>How many tool calls of a server run, wait, and were given up without a sign that the server stopped.</summary>
    /// <param name="serverId">The server's id in the policy; one that has no calls has no load.</param>
    ServerLoad LoadOf(string serverId);
}
