using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Policy;

/// <summary>One server: how it is reached, in what it is shut in, what it may do.</summary>
internal sealed partial class PolicyReading
{
    private const int MaxArguments = 1_000;

    private static readonly SearchValues<char> HeaderCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    private static readonly SearchValues<char> VersionCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+");

    private static readonly SearchValues<char> PackageCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~");

    /// <summary>Words in the name of a variable or header that mostly means a secret value.</summary>
    private static readonly string[] SecretWords = ["token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "credential", "private_key", "authorization"];

    private ServerSettings? ReadServer(PolicyMember member, PolicyDefaults defaults, ProtectedPaths own)
    {
        if (SectionReader.Open(member.Value, PolicySection.Server, problems) is not { } section)
        {
            return null;
        }

        string id = member.Name;
        section.Text("description");
        PolicyDefaults limits = ReadLimits(section, defaults, $"server:{id}");
        UrlTransport? transport = UrlTransport.Auto;
        bool uncheckedTransport = false;
        if (section.Find("transport") is { } transportNode && section.TryWord(transportNode, PolicyWords.Transport, out transport))
        {
            uncheckedTransport = transport is null;
        }

        IsolationSettings? isolation = null;
        var environment = new Dictionary<string, PolicyValue>(StringComparer.Ordinal);
        ReadEnvironment(section, environment);
        if (section.Section("isolation", PolicySection.Isolation) is { } isolationSection)
        {
            isolation = ReadIsolation(isolationSection, own);
            ReadEnvironment(isolationSection, environment);
        }

        ServerEndpoint? endpoint = ReadEndpoint(section, transport ?? UrlTransport.Auto, environment);
        List<GuardRoot> roots = ReadRoots(section, own);
        List<CompiledRule> rules = ReadRules(section, id);
        SamplingSettings sampling = ReadSampling(section, id);
        ElicitationSettings elicitation = ReadElicitation(section, id);
        MetaSettings meta = ReadMeta(section);
        FrozenDictionary<ContentFindings, FlagAction> flags = ReadFlags(section) ?? FrozenDictionary<ContentFindings, FlagAction>.Empty;
        FrozenDictionary<string, string> pins = ReadPins(section);
        bool trusted = section.Flag("trusted") ?? false;
        bool completion = section.Flag("allowCompletion") ?? false;
        bool mirroring = section.Flag("allowHeaderMirroring") ?? false;
        if (endpoint is null || problems.HasErrors)
        {
            return null;
        }

        var server = new ServerSettings
        {
            Id = id,
            Identity = new(id, endpoint.Describe()),
            Revision = string.Empty,
            Endpoint = endpoint,
            Isolation = isolation,
            Roots = roots,
            Limits = limits,
            Trusted = trusted,
            UncheckedTransport = uncheckedTransport,
            AllowCompletion = completion,
            AllowHeaderMirroring = mirroring,
            Sampling = sampling,
            Elicitation = elicitation,
            Meta = meta,
            Flags = flags,
            Pins = pins,
            Rules = [.. rules.OrderBy(rule => rule.Id, StringComparer.Ordinal)],
            ToolRules = new(rules, rule => rule.Tools, limits.Results),
            ResourceRules = new(rules, rule => rule.Resources, limits.Results),
            PromptRules = new(rules, rule => rule.Prompts, limits.Results),
        };
        Advise(section, member.Value, server);
        WarnOfHiddenRules(section, rules, server);
        return server.WithRevision(PolicyCanonicalizer.Revision(defaults, server));
    }

    private void Advise(SectionReader section, PolicyNode node, ServerSettings server)
    {
        if (server.Trusted)
        {
            problems.Warn(section.Find("trusted")!, "the server's own hints can make its tools count as harmless", "Say what is harmless in rules");
        }

        if (server.UncheckedTransport)
        {
            problems.Warn(section.Find("transport")!, "a transport of the host's is accepted without a check of where it leads", "Let the guard connect");
        }

        if (server.Endpoint is not (CommandEndpoint or PackageEndpoint))
        {
            return;
        }

        if (server.Isolation is null)
        {
            problems.Warn(node, "nothing says in what this server runs", "Add \"isolation\"; a server without any needs \"mode\": \"none\"");
        }
        else if (server.Isolation.Mode == IsolationMode.None)
        {
            problems.Warn(section.Find("isolation")!, "this server runs without isolation, with all rights of the host", "Use \"bubblewrap\" or \"container\"");
        }
    }

    private ServerEndpoint? ReadEndpoint(SectionReader section, UrlTransport transport, Dictionary<string, PolicyValue> environment)
    {
        string[] ways = ["url", "command", "package", "hostProvided"];
        string[] said = [.. ways.Where(way => section.Find(way) is not null)];
        if (said.Length != 1)
        {
            problems.Error(
                section.Node,
                said.Length == 0 ? "nothing says how this server is reached" : "this server is reached in several ways: " + string.Join(", ", said),
                "Write exactly one of \"url\", \"command\", \"package\" and \"hostProvided\": true");
            return null;
        }

        string way = said[0];
        RefuseForeignKeys(section, way);
        switch (way)
        {
            case "url":
                return ReadUrlEndpoint(section, transport);
            case "command":
                return ReadCommandEndpoint(section, environment);
            case "package":
                return ReadPackageEndpoint(section, environment);
            default:
                if (section.Flag("hostProvided") == false)
                {
                    problems.Error(section.Find("hostProvided")!, "this can only be true", "Write true, or say how else the server is reached");
                }

                return new HostProvidedEndpoint();
        }
    }

    /// <summary>Keys that belong to another way of reaching a server.</summary>
    private void RefuseForeignKeys(SectionReader section, string way)
    {
        (string Key, string[] Ways)[] owners =
        [
            ("allowPrivate", ["url"]), ("useEnvironmentProxy", ["url"]), ("headers", ["url"]), ("authorizationUrls", ["url"]),
            ("transport", ["url", "hostProvided"]),
            ("arguments", ["command", "package"]), ("environment", ["command", "package"]), ("isolation", ["command", "package"]),
            ("sha256", ["command"]),
        ];
        foreach ((string key, string[] ways) in owners)
        {
            if (section.Find(key) is { } node && !ways.Contains(way, StringComparer.Ordinal))
            {
                problems.Error(node, $"\"{key}\" has no meaning for a server with \"{way}\"", $"Remove it; it belongs to {string.Join(" or ", ways)}");
            }
        }
    }

    private UrlEndpoint? ReadUrlEndpoint(SectionReader section, UrlTransport transport)
    {
        string? url = section.Text("url");
        if (url is not null && UrlShape.FaultOfUrl(url) is { } fault)
        {
            problems.Error(section.Find("url")!, $"{PolicyText.Quote(url)} is no server URL: {fault}", "Write the exact URL, as in \"https://mcp.example.com/mcp\"");
            url = null;
        }

        var headers = new Dictionary<string, PolicyValue>(StringComparer.OrdinalIgnoreCase);
        if (section.Find("headers") is { } map && SectionReader.Is(map, JsonValueKind.Object, problems))
        {
            foreach (PolicyMember member in map.Members)
            {
                if (member.Name.Length == 0 || member.Name.AsSpan().IndexOfAnyExcept(HeaderCharacters) >= 0)
                {
                    problems.Error(member.NameStart, member.Value.Pointer(), $"{PolicyText.Quote(member.Name)} is no header name", "Use the characters of RFC 9110 section 5.1");
                }
                else if (ReadValue(member, PolicySection.Secret) is { } value && !headers.TryAdd(member.Name, value))
                {
                    problems.Error(member.NameStart, member.Value.Pointer(), $"the header {PolicyText.Quote(member.Name)} is set twice", "Header names compare without case: keep one");
                }
            }
        }

        List<string> authorization = section.Find("authorizationUrls") is { } urls ? ReadUrlPatterns(urls) : [];
        foreach (PolicyNode item in section.Find("authorizationUrls")?.Items ?? [])
        {
            if (item.Text is { } entry && entry.Contains('*', StringComparison.Ordinal))
            {
                problems.Error(item, "an authorization URL has no '*'", "Write each URL exactly");
            }
        }

        bool allowPrivate = section.Flag("allowPrivate") ?? false;
        bool useProxy = section.Flag("useEnvironmentProxy") ?? false;
        return url is null ? null : new()
        {
            Url = url,
            Transport = transport,
            AllowPrivate = allowPrivate,
            UseEnvironmentProxy = useProxy,
            Headers = headers.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
            AuthorizationUrls = authorization,
        };
    }

    private CommandEndpoint? ReadCommandEndpoint(SectionReader section, Dictionary<string, PolicyValue> environment)
    {
        string? command = section.Text("command");
        if (command is not null && (command.Contains('/', StringComparison.Ordinal) || command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) || command[0] is '~' or '.'))
        {
            command = FolderPath(section.Find("command")!);
        }

        List<string> arguments = ReadArguments(section);
        string? sha256 = ReadSha256(section.Find("sha256"));
        if (command is not null)
        {
            JudgeCommand(section.Find("command")!, command, arguments);
        }

        return command is null ? null : new()
        {
            Command = command,
            Arguments = arguments,
            Environment = environment.ToFrozenDictionary(StringComparer.Ordinal),
            Sha256 = sha256,
        };
    }

    private void JudgeCommand(PolicyNode node, string command, List<string> arguments)
    {
        RunnerVerdict runner = FetchingRunners.Check(command, arguments);
        if (CommandAllowlist.IsBatchFile(command) || (OperatingSystem.IsWindows() && CommandAllowlist.IsCommandProcessor(command)))
        {
            problems.Error(node, $"{PolicyText.Quote(command)} is a batch file or the Windows command processor, which parse arguments again (CVE-2024-24576)", "Name the program itself");
        }
        else if (FetchingRunners.IsShellOrWrapper(command) && EnvironmentRules.IsSetBy(arguments))
        {
            problems.Error(node, "the command line sets a variable that no server is given", "Name the program as the command, and its variables in \"environment\"");
        }
        else if (runner.IsRefused)
        {
            problems.Error(node, $"{runner.Runner} fetches what it runs when it starts: {runner.Problem}", "Use \"package\" and mcp-guard install, or pin one exact version");
        }
        else if (runner.Runner is not null)
        {
            problems.Warn(node, $"{runner.Runner} fetches what it runs, and all its dependencies in whatever version, at every start", "Use \"package\" and mcp-guard install");
        }
    }

    private PackageEndpoint? ReadPackageEndpoint(SectionReader section, Dictionary<string, PolicyValue> environment)
    {
        if (section.Section("package", PolicySection.Package) is not { } package)
        {
            return null;
        }

        bool npm = package.Find("npm") is not null;
        if (npm == package.Find("dotnet") is not null)
        {
            problems.Error(package.Node, "a package comes from exactly one registry", "Write \"npm\" or \"dotnet\" with the package's name");
            return null;
        }

        string key = npm ? "npm" : "dotnet";
        string? name = package.Text(key, 214);
        if (name is not null && !IsPackageName(name, npm))
        {
            problems.Error(package.Find(key)!, $"{PolicyText.Quote(name)} is no package name", "Write the bare name; the version has a key of its own");
            name = null;
        }

        RequireKey(package, "version");
        string? version = package.Text("version", 256);
        if (version is not null && !IsExactVersion(version))
        {
            problems.Error(package.Find("version")!, $"{PolicyText.Quote(version)} is no exact version", "Write one version, as in \"1.2.3\", no range and no tag");
            version = null;
        }

        string? executable = package.Text("executable", 214);
        if (executable is not null && executable.AsSpan().IndexOfAnyExcept(PackageCharacters) >= 0)
        {
            problems.Error(package.Find("executable")!, $"{PolicyText.Quote(executable)} is no name of a command", "Write the name that the package declares");
        }

        List<string> arguments = ReadArguments(section);
        return name is null || version is null ? null : new()
        {
            Kind = npm ? PackageKind.Npm : PackageKind.Dotnet,
            Name = name,
            Version = version,
            Executable = executable,
            Arguments = arguments,
            Environment = environment.ToFrozenDictionary(StringComparer.Ordinal),
        };
    }

    private List<string> ReadArguments(SectionReader section)
    {
        var arguments = new List<string>();
        foreach (PolicyNode item in section.List("arguments", 0, MaxArguments) ?? [])
        {
            if (item.Kind == JsonValueKind.Object && SectionReader.Open(item, PolicySection.PackageArgument, problems) is { } package)
            {
                RequireKey(package, "package");
                RequireKey(package, "version");
                string? name = package.Text("package", 214);
                string? version = package.Text("version", 256);
                if (name is not null && !IsPackageName(name, npm: true))
                {
                    problems.Error(package.Find("package")!, $"{PolicyText.Quote(name)} is no package name", "Write the bare name");
                }
                else if (version is not null && !IsExactVersion(version))
                {
                    problems.Error(package.Find("version")!, $"{PolicyText.Quote(version)} is no exact version", "Write one version, as in \"1.2.3\"");
                }

                arguments.Add($"{name}@{version}");
            }
            else if (item.Kind != JsonValueKind.Object && SectionReader.Is(item, JsonValueKind.String, problems))
            {
                // An argument may be empty or blank; NUL ends it in every operating system.
                if (item.Text!.Contains('\0', StringComparison.Ordinal))
                {
                    problems.Error(item, "an argument cannot hold NUL", "Remove it");
                }

                arguments.Add(item.Text);
            }
        }

        return arguments;
    }

    private void ReadEnvironment(SectionReader section, Dictionary<string, PolicyValue> environment)
    {
        if (section.Find("environment") is not { } map || !SectionReader.Is(map, JsonValueKind.Object, problems))
        {
            return;
        }

        foreach (PolicyMember member in map.Members)
        {
            if (member.Name.Length is 0 or > 256 || member.Name.AsSpan().IndexOfAny('=', '\0') >= 0 || PolicyText.HasControl(member.Name))
            {
                problems.Error(member.NameStart, member.Value.Pointer(), $"{PolicyText.Quote(member.Name)} is no name of a variable", "Use 1 to 256 characters without '='");
            }
            else if (EnvironmentRules.IsForbidden(member.Name))
            {
                problems.Error(
                    member.NameStart,
                    member.Value.Pointer(),
                    $"the variable {PolicyText.Quote(member.Name)} steers the loader, the runtime, the search path, TLS or the package source, and no server is given it",
                    "Remove it; say what it was for with the server's own arguments, \"isolation\" or \"package\"");
            }
            else if (ReadValue(member, PolicySection.EnvironmentReference) is { } value && !environment.TryAdd(member.Name, value))
            {
                problems.Error(member.NameStart, member.Value.Pointer(), $"the variable {PolicyText.Quote(member.Name)} is set for the server and for its isolation", "Keep one of the two");
            }
        }
    }

    private PolicyValue? ReadValue(PolicyMember member, PolicySection reference)
    {
        PolicyNode node = member.Value;
        if (node.Kind == JsonValueKind.String)
        {
            string text = node.Text!;
            if (text.AsSpan().IndexOfAny('\0', '\r', '\n') >= 0)
            {
                problems.Error(node, "this value holds NUL or a line end", "Remove it");
                return null;
            }

            if (SecretWords.Any(word => member.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))
            {
                problems.Warn(node, $"{PolicyText.Quote(member.Name)} looks like a secret that is written into the policy", "Write { \"secret\": \"name\" }");
            }

            return new(text, null, FromHost: false);
        }

        if (node.Kind != JsonValueKind.Object)
        {
            problems.Error(node, $"this must be a text or a reference, and is {SectionReader.NameOf(node.Kind)}", "Write a text, or { \"secret\": \"name\" }");
            return null;
        }

        if (SectionReader.Open(node, reference, problems) is not { } section)
        {
            return null;
        }

        if (reference.Keys.Contains("fromHost", StringComparer.Ordinal) && section.Find("fromHost") is { } fromHost)
        {
            if (section.Flag("fromHost") == false || section.Find("secret") is not null)
            {
                problems.Error(fromHost, "this can only be true, and only alone", "Write { \"fromHost\": true } or { \"secret\": \"name\" }");
            }

            return new(null, null, FromHost: true);
        }

        return ReadSecret(section) is { } secret ? new(null, secret, FromHost: false) : null;
    }

    private IsolationSettings? ReadIsolation(SectionReader section, ProtectedPaths own)
    {
        RequireKey(section, "mode");
        IsolationMode? mode = section.Word("mode", PolicyWords.Isolation);
        NetworkAccess network = NetworkAccess.None;
        if (section.Find("network") is { } networkNode)
        {
            if (networkNode.Kind is JsonValueKind.True or JsonValueKind.False)
            {
                network = networkNode.Kind == JsonValueKind.True ? NetworkAccess.Full : NetworkAccess.None;
            }
            else if (networkNode.Kind == JsonValueKind.String && networkNode.Text == "loopback")
            {
                network = NetworkAccess.Loopback;
            }
            else
            {
                problems.Error(networkNode, "this is not known here", "Write false, true or \"loopback\"");
            }
        }

        string? engine = section.Find("engine") is { } engineNode && section.TryWord(engineNode, PolicyWords.Engine, out string word) ? word : null;
        string? image = section.Text("image", 512);
        if (image is not null && !IsImageByDigest(image))
        {
            problems.Error(section.Find("image")!, $"{PolicyText.Quote(image)} names no digest", "Write the image with its digest, as in \"name@sha256:...\" with 64 hexadecimal digits");
        }

        var required = new List<string>();
        foreach (PolicyNode item in section.List("required", 0, 32) ?? [])
        {
            if (section.TryWord(item, PolicyWords.Control, out string control))
            {
                if (required.Contains(control, StringComparer.Ordinal))
                {
                    problems.Error(item, $"'{control}' is listed twice", "Keep one of the two");
                }

                required.Add(control);
            }
        }

        if (mode is not null && mode != IsolationMode.Container)
        {
            foreach (string key in (ReadOnlySpan<string>)["image", "engine"])
            {
                if (section.Find(key) is { } node)
                {
                    problems.Error(node, $"\"{key}\" is about containers", "Remove it, or use \"mode\": \"container\"");
                }
            }
        }
        else if (mode == IsolationMode.Container && section.Find("image") is null)
        {
            problems.Error(section.Node, "a container needs an image", "Add \"image\" with its digest");
        }

        if (mode == IsolationMode.None)
        {
            // A limit that nothing enforces is worse than none: it is believed.
            foreach (string key in PolicySection.Isolation.Keys)
            {
                if (key is not ("mode" or "environment" or "workingDirectory") && section.Find(key) is { } node)
                {
                    problems.Error(node, $"\"{key}\" has no effect without isolation", "Remove it, or use \"bubblewrap\" or \"container\"");
                }
            }
        }

        List<string> readable = ReadFolders(section, "readable");
        List<string> writable = ReadFolders(section, "writable");
        foreach (PolicyNode item in section.Find("writable")?.Items ?? [])
        {
            RefuseExposure(item, own, "writable mount");
        }

        string? workingDirectory = section.Find("workingDirectory") is { } working ? FolderPath(working) : null;
        var settings = new IsolationSettings
        {
            Mode = mode ?? IsolationMode.None,
            Readable = readable,
            Writable = writable,
            Network = network,
            Preset = section.Word("preset", PolicyWords.Preset) ?? RuntimePreset.Auto,
            Image = image,
            Engine = engine,
            Memory = section.Size("memory", 1L << 20, 1L << 50),
            Cpus = section.Decimal("cpus", 0.01m, 1_024m),
            Processes = section.Integer("processes", 1, 1_000_000),
            OpenFiles = section.Integer("openFiles", 16, 1_000_000),
            FileSize = section.Size("fileSize", 0, 1L << 50),
            Temp = section.Size("temp", 0, 1L << 50),
            User = ReadUser(section),
            WorkingDirectory = workingDirectory,
            Required = [.. required.Order(StringComparer.Ordinal)],
        };
        return mode is null ? null : settings;
    }

    private string? ReadUser(SectionReader section)
    {
        string? user = section.Text("user", 128);
        if (user is not null && !global::Mcp.Guard.Isolation.JailUser.TryParse(user, out _))
        {
            // A name would have to be looked up, in the image or here: which of the two is not for a policy to leave open.
            problems.Error(section.Find("user")!, $"{PolicyText.Quote(user)} is no user", "Write numbers, as in \"1000\" or \"1000:1000\"");
        }

        return user;
    }

    private List<string> ReadFolders(SectionReader section, string key)
    {
        var folders = new List<string>();
        foreach (PolicyNode item in section.List(key, 0, 1_000) ?? [])
        {
            if (FolderPath(item) is { } folder)
            {
                RequireExistence(item, folder);
                if (folders.Contains(folder, StringComparer.Ordinal))
                {
                    problems.Error(item, $"{PolicyText.QuotePath(folder)} is listed twice", "Keep one of the two");
                }

                folders.Add(folder);
            }
        }

        return folders;
    }

    private List<GuardRoot> ReadRoots(SectionReader section, ProtectedPaths own)
    {
        var roots = new List<GuardRoot>();
        foreach (PolicyNode item in section.List("roots", 0, 1_000) ?? [])
        {
            PolicyNode? pathNode = item;
            RootAccess access = RootAccess.ReadWrite;
            if (item.Kind == JsonValueKind.Object)
            {
                if (SectionReader.Open(item, PolicySection.Root, problems) is not { } root)
                {
                    continue;
                }

                RequireKey(root, "path");
                pathNode = root.Find("path");
                access = root.Word("access", PolicyWords.Access) ?? access;
            }
            else if (item.Kind != JsonValueKind.String)
            {
                problems.Error(item, $"a root is a path or an object, and this is {SectionReader.NameOf(item.Kind)}", "Write a path, or { \"path\": ..., \"access\": \"read\" }");
                continue;
            }

            if (pathNode is null || FolderPath(pathNode) is not { } path)
            {
                continue;
            }

            RequireExistence(pathNode, path);
            RefuseExposure(pathNode, own, "root");
            if (roots.Any(root => string.Equals(root.Path, path, StringComparison.Ordinal)))
            {
                problems.Error(pathNode, $"the root {PolicyText.QuotePath(path)} is listed twice", "Keep one of the two");
            }

            roots.Add(new(path, access));
        }

        return roots;
    }

    /// <summary>A relative path that leads nowhere is a mistake; an absolute one may appear later, as a mount does.</summary>
    private void RequireExistence(PolicyNode node, string path)
    {
        if (Path.Exists(path))
        {
            return;
        }

        if (Path.IsPathFullyQualified(node.Text!))
        {
            problems.Warn(node, $"{PolicyText.QuotePath(path)} does not exist", "Create it, or correct the path");
        }
        else
        {
            problems.Error(node, $"the relative path leads to {PolicyText.QuotePath(path)}, which does not exist", "Create it, correct the path, or write it absolutely");
        }
    }

    private void RefuseExposure(PolicyNode node, ProtectedPaths own, string what)
    {
        if (node.Text is { Length: > 0 } && !problems.IsFull && TryFullPath(node.Text) is { } path && own.ExposedBy(path) is { } exposed)
        {
            problems.Error(
                node,
                $"the {what} {PolicyText.QuotePath(path)} would let the server reach {exposed.Purpose}, {PolicyText.QuotePath(exposed.Path)}",
                "Move one of the two, so that neither holds the other");
        }
    }

    private string? TryFullPath(string text)
    {
        try
        {
            return Path.IsPathFullyQualified(text) || _baseDirectory is not null ? Path.GetFullPath(text, _baseDirectory ?? Path.GetPathRoot(text)!) : null;
        }
        catch (Exception e) when (e is ArgumentException or IOException or NotSupportedException)
        {
            return null;
        }
    }

    private SamplingSettings ReadSampling(SectionReader parent, string serverId)
    {
        var sampling = new SamplingSettings();
        if (parent.Section("sampling", PolicySection.Sampling) is not { } section)
        {
            return sampling;
        }

        RequireKey(section, "allow");
        return sampling with
        {
            Allowed = section.Flag("allow") ?? false,
            MaxPromptTokens = section.Integer("maxPromptTokens", 1, 10_000_000),
            MaxTokens = section.Integer("maxTokens", 1, 10_000_000) ?? sampling.MaxTokens,
            MaxDepth = section.Integer("maxDepth", 0, 32) ?? sampling.MaxDepth,
            Confirm = section.Flag("confirm") ?? sampling.Confirm,
            AllowContext = section.Flag("allowContext") ?? sampling.AllowContext,
            RateLimit = ReadRateLimit(section, $"sampling:{serverId}"),
        };
    }

    private ElicitationSettings ReadElicitation(SectionReader parent, string serverId)
    {
        var elicitation = new ElicitationSettings();
        if (parent.Section("elicitation", PolicySection.Elicitation) is not { } section)
        {
            return elicitation;
        }

        RequireKey(section, "allow");
        List<string> urls = section.Find("urls") is { } patterns ? ReadUrlPatterns(patterns) : [];
        bool url = section.Flag("url") ?? elicitation.Url;
        if (url && urls.Count == 0 && section.Find("url") is { } alone)
        {
            problems.Error(alone, "\"url\" lets the server show addresses, and none is listed", "Add \"urls\" with the patterns of those that it may show, or remove \"url\"");
        }

        return elicitation with
        {
            Allowed = section.Flag("allow") ?? false,
            Form = section.Flag("form") ?? elicitation.Form,
            Url = url,
            Urls = urls,
            MaxFields = section.Integer("maxFields", 1, 1_000) ?? elicitation.MaxFields,
            RateLimit = ReadRateLimit(section, $"elicitation:{serverId}"),
        };
    }

    private static MetaSettings ReadMeta(SectionReader parent)
    {
        if (parent.Section("meta", PolicySection.Meta) is not { } section)
        {
            return MetaSettings.None;
        }

        List<string> toServer = section.Texts("toServer", 100, 256) ?? [];
        List<string> fromServer = section.Texts("fromServer", 100, 256) ?? [];
        return new(toServer.ToFrozenSet(StringComparer.Ordinal), fromServer.ToFrozenSet(StringComparer.Ordinal));
    }

    private FrozenDictionary<string, string> ReadPins(SectionReader parent)
    {
        var pins = new Dictionary<string, string>(StringComparer.Ordinal);
        if (parent.Find("pins") is { } map && SectionReader.Is(map, JsonValueKind.Object, problems))
        {
            if (map.Members.Count > 100_000)
            {
                problems.Error(map, $"there are {map.Members.Count} pins", "At most 100000 are permitted for one server");
            }

            foreach (PolicyMember member in map.Members)
            {
                if (member.Name.Length is 0 or > 512)
                {
                    problems.Error(member.NameStart, member.Value.Pointer(), "this is no tool name", "Use the exact name of a tool");
                }
                else if (ReadSha256(member.Value) is { } fingerprint)
                {
                    pins[member.Name] = fingerprint;
                }
            }
        }

        return pins.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private string? ReadSha256(PolicyNode? node)
    {
        if (node is null || SectionReader.Text(node, problems) is not { } text)
        {
            return null;
        }

        if (!IsSha256(text))
        {
            problems.Error(node, $"{PolicyText.Quote(text)} is no SHA-256", "Write 64 lower-case hexadecimal digits");
            return null;
        }

        return text;
    }

    private static bool IsSha256(ReadOnlySpan<char> text) => text.Length == 64 && text.IndexOfAnyExcept(LowerHex) < 0;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    private static bool IsImageByDigest(string image)
    {
        int at = image.IndexOf("@sha256:", StringComparison.Ordinal);
        return at > 0 && image[0] != '-' && !image.AsSpan().ContainsAny(" \t") && IsSha256(image.AsSpan(at + 8));
    }

    /// <summary>A bare name, in npm possibly with a scope: nothing that a package runner would read as a path, URL, range or option.</summary>
    private static bool IsPackageName(string name, bool npm)
    {
        ReadOnlySpan<char> rest = name;
        if (npm && rest[0] == '@')
        {
            int slash = rest.IndexOf('/');
            if (slash < 2 || !IsPlainName(rest[1..slash]))
            {
                return false;
            }

            rest = rest[(slash + 1)..];
        }

        return IsPlainName(rest);

        static bool IsPlainName(ReadOnlySpan<char> part) =>
            part.Length > 0 && part[0] is not ('.' or '-' or '_' or '~') && part.IndexOfAnyExcept(PackageCharacters) < 0;
    }

    /// <summary>Three or four numbers, then an optional pre-release or build: never a range or a tag.</summary>
    private static bool IsExactVersion(string version)
    {
        if (version.AsSpan().IndexOfAnyExcept(VersionCharacters) >= 0)
        {
            return false;
        }

        int core = version.AsSpan().IndexOfAny('-', '+');
        string[] numbers = (core < 0 ? version : version[..core]).Split('.');
        return numbers.Length is 3 or 4 && core != version.Length - 1
            && numbers.All(number => number.Length is > 0 and <= 10 && number.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0);
    }
}
