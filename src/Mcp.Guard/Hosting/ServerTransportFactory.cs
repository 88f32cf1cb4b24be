using System.Collections.Frozen;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ServerAdmission;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Hosting;

/// <summary>Makes the transport that the policy says for a server: a process that the guard starts itself, or HTTP through the guard's own handler.</summary>
internal sealed class ServerTransportFactory(IPolicySource policy, SecretResolution secrets, IContentSanitizer sanitizer, TimeProvider time, ILoggerFactory loggers)
{
    public async ValueTask<IClientTransport> CreateAsync(ServerSettings settings, ReplyBounds bounds, CancellationToken ct) => settings.Endpoint switch
    {
        CommandEndpoint command => await CreateProcessAsync(settings, bounds, command.Command, command.Arguments, command.Environment, command.Sha256, ct).ConfigureAwait(false),
        UrlEndpoint url => await CreateHttpAsync(settings, bounds, url, ct).ConfigureAwait(false),
        PackageEndpoint package => throw new McpGuardException(
            $"The server '{settings.Id}' runs from the package {package.Describe()}, which is not in the guard's store. Run 'mcp-guard install' for this policy first."),
        _ => throw new McpGuardException(
            $"The server '{settings.Id}' is host-provided: the guard has nothing to connect to. Make the transport yourself and call IMcpGuard.Protect(\"{settings.Id}\", transport)."),
    };

    private async ValueTask<IClientTransport> CreateProcessAsync(
        ServerSettings settings,
        ReplyBounds bounds,
        string command,
        IReadOnlyList<string> arguments,
        FrozenDictionary<string, PolicyValue> environment,
        string? sha256,
        CancellationToken ct)
    {
        if (settings.Isolation is not { } isolation)
        {
            throw new McpGuardException(
                $"The server '{settings.Id}' has no \"isolation\" in the policy. Choose a mode; without any isolation that is \"isolation\": {{ \"mode\": \"none\" }}.");
        }

        string executable = CommandLocator.Locate(command);
        CommandLocator.VerifyHash(executable, sha256, settings.Id);
        var variables = new List<IsolationVariable>(environment.Count);
        foreach (var (name, value) in environment)
        {
            variables.Add(await ResolveAsync(settings.Id, name, value, ct).ConfigureAwait(false));
        }

        PolicySnapshot current = policy.Current;
        var options = new IsolationOptions
        {
            Server = settings.Id,
            InstanceId = Guid.CreateVersion7(time.GetUtcNow()).ToString("N"),
            Mode = isolation.Mode switch
            {
                Policy.IsolationMode.Bubblewrap => Isolation.IsolationMode.Bubblewrap,
                Policy.IsolationMode.Container => Isolation.IsolationMode.Container,
                _ => Isolation.IsolationMode.None,
            },
            Executable = executable,
            Arguments = arguments,
            Preset = isolation.Preset switch
            {
                Policy.RuntimePreset.Node => IsolationPreset.Node,
                Policy.RuntimePreset.Dotnet => IsolationPreset.Dotnet,
                Policy.RuntimePreset.Python => IsolationPreset.Python,
                _ => IsolationPreset.Automatic,
            },
            Readable = [.. isolation.Readable, .. settings.Roots.Select(root => root.Path)],
            Writable = isolation.Writable,
            WritableByAnyServer = [.. current.Servers.Values.SelectMany(server => server.Isolation?.Writable ?? [])],
            GuardPaths = [.. current.Protected.Paths.Select(path => path.Path)],
            Network = isolation.Network switch
            {
                NetworkAccess.Full => IsolationNetwork.Host,
                NetworkAccess.Loopback => IsolationNetwork.Loopback,
                _ => IsolationNetwork.None,
            },
            Environment = variables,
            Memory = isolation.Memory,
            Cpus = (double?)isolation.Cpus,
            Processes = isolation.Processes ?? 256,
            OpenFiles = isolation.OpenFiles ?? 1024,
            FileSize = isolation.FileSize ?? 1L << 30,
            User = isolation.User,
            WorkingDirectory = isolation.WorkingDirectory,
            Temp = isolation.Temp ?? 64L << 20,
            Required = isolation.Required,
            Image = isolation.Image,
        };
        return new ServerProcessTransport(settings, options, bounds, sanitizer, time, loggers);
    }

    private async ValueTask<IsolationVariable> ResolveAsync(string serverId, string name, PolicyValue value, CancellationToken ct)
    {
        if (value.Literal is { } literal)
        {
            return new IsolationVariable(name, literal);
        }

        if (value.FromHost)
        {
            return Environment.GetEnvironmentVariable(name) is { } inherited
                ? new IsolationVariable(name, inherited, Secret: true)
                : throw new McpGuardException($"The server '{serverId}' needs the environment variable '{name}' of the host, which is not set.");
        }

        string? secret = await secrets.ResolveAsync(value.Secret!, ct).ConfigureAwait(false);
        return secret is not null
            ? new IsolationVariable(name, secret, Secret: true)
            : throw new McpGuardException($"The server '{serverId}' needs the secret '{value.Secret}', which no secret resolver knows. Set it, or add one with AddSecretResolver(...).");
    }

    private async ValueTask<IClientTransport> CreateHttpAsync(ServerSettings settings, ReplyBounds bounds, UrlEndpoint url, CancellationToken ct)
    {
        // A legacy SSE server announces a path of its own for messages, on the same origin.
        string reached = url.Transport == UrlTransport.Sse ? new Uri(url.Url).GetLeftPart(UriPartial.Authority) : url.Url;
        List<string> patterns = [reached, .. url.AuthorizationUrls];
        var allowlist = Stages.ServerAdmission.UrlAllowlist.Create(patterns, url.AllowPrivate);
        if (allowlist.Problems.Count > 0)
        {
            throw new McpGuardException($"The URL of server '{settings.Id}' cannot be used: {allowlist.Problems[0].Message}");
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in url.Headers)
        {
            headers[name] = (await ResolveAsync(settings.Id, name, value, ct).ConfigureAwait(false)).Value;
        }

        HttpMessageHandler handler = AdmissionHttp.CreateHandler(
            allowlist,
            new AdmissionHttpOptions
            {
                MaxResponseBytes = settings.Limits.Results.MaxBytes + ServerProcessTransport.EnvelopeBytes,
                ResponseTooLarge = bounds.Report,
            });

        // The guard's own deadlines apply to each call; a client-wide one would cut event streams off.
        var client = new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
        return new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = new Uri(url.Url),
                Name = settings.Id,
                AdditionalHeaders = headers,
                TransportMode = url.Transport == UrlTransport.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
            },
            client,
            loggers,
            ownsHttpClient: true);
    }
}
