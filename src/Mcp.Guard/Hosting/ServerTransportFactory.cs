using System.Collections.Frozen;
using Mcp.Guard.Audit;
using Mcp.Guard.Isolation;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ServerAdmission;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Hosting;

/// <summary>Makes the transport that the policy says for a server: a process that the guard starts itself, or HTTP through the guard's own handler.</summary>
internal sealed class ServerTransportFactory(
    IPolicySource policy, SecretResolution secrets, AuditTrail audit, IContentSanitizer sanitizer, TimeProvider time, ILoggerFactory loggers)
{
    public async ValueTask<IClientTransport> CreateAsync(ServerSettings settings, ReplyBounds bounds, CancellationToken ct) => settings.Endpoint switch
    {
        CommandEndpoint command => await CreateProcessAsync(
            settings, bounds, new LaunchRequest(command.Command, command.Arguments, command.Environment, command.Sha256, null), ct).ConfigureAwait(false),
        PackageEndpoint package => await CreateProcessAsync(settings, bounds, await RequestAsync(settings, package, ct).ConfigureAwait(false), ct).ConfigureAwait(false),
        UrlEndpoint url => await CreateHttpAsync(settings, bounds, url, ct).ConfigureAwait(false),
        _ => throw new McpGuardException(
            $"The server '{settings.Id}' is host-provided: the guard has nothing to connect to. Make the transport yourself and call IMcpGuard.Protect(\"{settings.Id}\", transport)."),
    };

    /// <summary>Verifies the package, every file of it, before each start.</summary>
    private async ValueTask<LaunchRequest> RequestAsync(ServerSettings settings, PackageEndpoint package, CancellationToken ct)
    {
        try
        {
            return Request(settings, package);
        }
        catch (PackageException refused)
        {
            await RecordAsync(settings, null, null, refused.Message, ct).ConfigureAwait(false);
            throw new McpGuardException($"The server '{settings.Id}' was not started: {refused.Message}.");
        }
    }

    private LaunchRequest Request(ServerSettings settings, PackageEndpoint package)
    {
        StoredPackage stored = new PackageStore(policy.Current.PackageStore).Verify(package);
        bool inImage = settings.Isolation?.Mode == Policy.IsolationMode.Container;
        (string command, IReadOnlyList<string> arguments) = stored.Runtime is not { } runtime ? (stored.Entry, package.Arguments)
            : inImage ? ("/usr/bin/env", [runtime, stored.Entry, .. package.Arguments])
            : (runtime, (IReadOnlyList<string>)[stored.Entry, .. package.Arguments]);
        return new LaunchRequest(command, arguments, package.Environment, null, stored);
    }

    private async ValueTask<IClientTransport> CreateProcessAsync(ServerSettings settings, ReplyBounds bounds, LaunchRequest request, CancellationToken ct)
    {
        if (settings.Isolation is not { } isolation)
        {
            throw new McpGuardException(
                $"The server '{settings.Id}' has no \"isolation\" in the policy. Choose a mode; without any isolation that is \"isolation\": {{ \"mode\": \"none\" }}.");
        }

        var variables = new List<IsolationVariable>(request.Environment.Count);
        foreach (var (name, value) in request.Environment)
        {
            variables.Add(await ResolveAsync(settings.Id, name, value, ct).ConfigureAwait(false));
        }

        LaunchVerdict launch = Admit(isolation, request, variables);
        await RecordAsync(settings, launch, request.Package, launch.IsAllowed ? null : launch.Reason, ct).ConfigureAwait(false);
        if (!launch.IsAllowed)
        {
            throw new McpGuardException($"The server '{settings.Id}' was not started: {launch.Reason}.");
        }

        return new ServerProcessTransport(settings, Options(settings, isolation, request, launch.Command!, variables), bounds, sanitizer, time, loggers);
    }

    /// <summary>What would be started, as text for review: nothing is started, no secret is asked for.</summary>
    /// <exception cref="McpGuardException">It could not be started as the policy says, or the guard does not start it.</exception>
    public string Describe(ServerSettings settings) => Plan(settings, IsolationHost.Detect()).Describe();

    /// <summary>The same as a plan, for the machine that is given: what a start would do, with the values of secrets left out.</summary>
    /// <exception cref="McpGuardException">It could not be started as the policy says, or the guard does not start it.</exception>
    public IsolationPlan Plan(ServerSettings settings, IsolationHost host)
    {
        LaunchRequest request;
        try
        {
            request = settings.Endpoint switch
            {
                CommandEndpoint command => new LaunchRequest(command.Command, command.Arguments, command.Environment, command.Sha256, null),
                PackageEndpoint package => Request(settings, package),
                _ => throw new McpGuardException($"The server '{settings.Id}' is not started by the guard: it is reached by URL or provided by the host."),
            };
        }
        catch (PackageException refused)
        {
            throw new McpGuardException($"The server '{settings.Id}' would not be started: {refused.Message}.");
        }

        if (settings.Isolation is not { } isolation)
        {
            throw new McpGuardException($"The server '{settings.Id}' has no \"isolation\" in the policy and would not be started.");
        }

        List<IsolationVariable> variables = [.. request.Environment.Select(entry => entry.Value.Literal is { } literal
            ? new IsolationVariable(entry.Key, literal)
            : new IsolationVariable(entry.Key, string.Empty, Secret: true))];
        LaunchVerdict launch = Admit(isolation, request, variables);
        if (!launch.IsAllowed)
        {
            throw new McpGuardException($"The server '{settings.Id}' would not be started: {launch.Reason}.");
        }

        try
        {
            return IsolationPlanner.Create(Options(settings, isolation, request, launch.Command!, variables), host);
        }
        catch (IsolationException unavailable)
        {
            throw new McpGuardException($"The server '{settings.Id}' would not be started: {unavailable.Message}");
        }
    }

    // A secret's value is no part of the fingerprint: it would let who reads the audit try values.
    private LaunchVerdict Admit(IsolationSettings isolation, LaunchRequest request, IReadOnlyList<IsolationVariable> variables) =>
        new LaunchAdmission(Environment.GetEnvironmentVariable("PATH"), LaunchAdmission.WritableBy(policy.Current.Servers.Values)).Admit(
            request.Command,
            request.Arguments,
            [.. variables.Select(variable => new KeyValuePair<string, string>(variable.Name, variable.Secret ? string.Empty : variable.Value))],
            request.Sha256,
            isolation.Mode == Policy.IsolationMode.Container);

    private IsolationOptions Options(
        ServerSettings settings, IsolationSettings isolation, LaunchRequest request, ResolvedCommand command, IReadOnlyList<IsolationVariable> variables)
    {
        PolicySnapshot current = policy.Current;
        return new IsolationOptions
        {
            Server = settings.Id,
            InstanceId = Guid.CreateVersion7(time.GetUtcNow()).ToString("N"),
            Mode = isolation.Mode switch
            {
                Policy.IsolationMode.Bubblewrap => Isolation.IsolationMode.Bubblewrap,
                Policy.IsolationMode.Container => Isolation.IsolationMode.Container,
                _ => Isolation.IsolationMode.None,
            },
            Executable = command.StartPath,
            Arguments = [.. command.LeadingArguments, .. request.Arguments],
            Package = request.Package?.Folder,
            Preset = isolation.Preset switch
            {
                Policy.RuntimePreset.Node => IsolationPreset.Node,
                Policy.RuntimePreset.Dotnet => IsolationPreset.Dotnet,
                Policy.RuntimePreset.Python => IsolationPreset.Python,
                _ => IsolationPreset.Automatic,
            },
            Readable = [.. isolation.Readable, .. settings.Roots.Select(root => root.Path)],
            Writable = isolation.Writable,
            WritableByAnyServer = LaunchAdmission.WritableBy(current.Servers.Values),
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
            Engine = isolation.Engine,
        };
    }

    /// <summary>Puts on record what is started: the file with its digest, and the fingerprint of the whole launch. Without the record nothing is started.</summary>
    private async ValueTask RecordAsync(ServerSettings settings, LaunchVerdict? launch, StoredPackage? package, string? refusal, CancellationToken ct)
    {
        ResolvedCommand? command = launch?.Command;
        string? what = command is null ? null
            : command.Sha256.Length == 0 ? "in the image"
            : package is null ? $"sha256={command.Sha256}"
            : $"sha256={command.Sha256}; package sha512={package.Tree}";
        var record = new AuditRecord
        {
            Kind = AuditKind.Connection,
            Time = time.GetUtcNow(),
            DecisionId = Pipeline.DecisionIds.Next(time),
            UserId = AmbientCaller.Current?.UserId,
            SessionId = AmbientCaller.Current?.SessionId,
            Server = settings.Id,
            Method = "launch",
            Target = command?.FilePath ?? settings.Identity.Endpoint,
            Fingerprint = launch?.Fingerprint,
            Decision = refusal is null ? "admit" : "deny",
            Code = refusal is null ? null : GuardDenialCodes.ServerNotAllowed,
            Stage = refusal is null ? null : "server-admission",
            Reason = refusal ?? what,
            PolicyRevision = policy.Current.Revision,
        };
        if (refusal is not null)
        {
            await audit.WriteEventAsync(record, ct).ConfigureAwait(false);
            return;
        }

        try
        {
            await audit.WriteRequiredEventAsync(record, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            Pipeline.PipelineLog.AuditFailed(loggers.CreateLogger("Mcp.Guard"), AuditKind.Connection, record.DecisionId, failure);
            throw new McpGuardException(GuardDenialCodes.AuditUnavailable, record.DecisionId, retryAfter: null);
        }
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

    /// <summary>The handler that every request to a server passes; it resolves the secrets of the policy's headers when the first request needs them.</summary>
    public AdmissionHandler CreateHandler(ServerSettings settings, UrlEndpoint url, ReplyBounds bounds)
    {
        // A legacy server announces its message endpoint beside the stream: the whole origin is in reach then, and nothing else.
        string reach = url.Transport == UrlTransport.Sse ? new Uri(url.Url).GetLeftPart(UriPartial.Authority) : url.Url;
        var allowlist = Stages.ServerAdmission.UrlAllowlist.Create([reach], url.AllowPrivate);
        var authorization = AuthorizationUrls.Create(url.AuthorizationUrls, url.AllowPrivate);
        List<AllowlistProblem> problems = [.. allowlist.Problems, .. authorization.Problems];
        if (problems.Count > 0)
        {
            throw new McpGuardException($"The URL of server '{settings.Id}' cannot be used: {problems[0].Message}");
        }

        return AdmissionHttp.CreateHandler(
            allowlist,
            new AdmissionHttpOptions
            {
                Authorization = authorization,
                Headers = ct => HeadersAsync(settings, url, ct),
                UseEnvironmentProxy = url.UseEnvironmentProxy,
                MaxResponseBytes = settings.Limits.Results.MaxBytes + ServerProcessTransport.EnvelopeBytes,
                ResponseTooLarge = bounds.Report,
            });
    }

    /// <summary>A client over that handler. The guard's own deadlines apply to each call; a client-wide one would cut event streams off.</summary>
    public static HttpClient CreateClient(AdmissionHandler handler) => new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    private async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> HeadersAsync(ServerSettings settings, UrlEndpoint url, CancellationToken ct)
    {
        if (url.Headers.Count == 0)
        {
            return [];
        }

        var headers = new List<KeyValuePair<string, string>>(url.Headers.Count);
        foreach (var (name, value) in url.Headers)
        {
            headers.Add(new(name, (await ResolveAsync(settings.Id, name, value, ct).ConfigureAwait(false)).Value));
        }

        return headers;
    }

    private async ValueTask<IClientTransport> CreateHttpAsync(ServerSettings settings, ReplyBounds bounds, UrlEndpoint url, CancellationToken ct)
    {
        // Asked for here too: a secret that is missing stops the connection with its own message.
        await HeadersAsync(settings, url, ct).ConfigureAwait(false);
        return new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = new Uri(url.Url),
                Name = settings.Id,
                TransportMode = url.Transport == UrlTransport.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
            },
            CreateClient(CreateHandler(settings, url, bounds)),
            loggers,
            ownsHttpClient: true);
    }

    /// <summary>What is to be started, before it is admitted.</summary>
    private sealed record LaunchRequest(
        string Command, IReadOnlyList<string> Arguments, FrozenDictionary<string, PolicyValue> Environment, string? Sha256, StoredPackage? Package);
}
