using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Servers;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Isolation;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>One run of <c>mcp-guard init</c>: collect the servers, ask, start each once, decide, write, tell.</summary>
internal sealed class InitRun(CommandTerminal terminal, InitOptions options)
{
    private readonly string? _store = InitCommand.DefaultStore(options);
    private readonly List<(ServerDraft Draft, DraftedRules Rules)> _written = [];
    private readonly List<(string Name, string Problem)> _left = [];

    /// <returns>0 where every wanted server is in the policy, 1 where one is not.</returns>
    /// <exception cref="CommandFault">Bad usage, or there is nothing to write.</exception>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        RefuseOutput();
        IReadOnlyList<ServerDraft> drafts = options.From is null ? [One()] : FromClient();
        bool failed = _left.Count > 0;
        foreach (ServerDraft given in drafts)
        {
            ServerDraft draft = RunnerConversion.Convert(given);
            if (options.From is not null && !options.Yes && !terminal.Confirm(QuestionOf(given, draft)))
            {
                _left.Add((draft.Id, "not wanted"));
                continue;
            }

            try
            {
                _written.Add(await DraftAsync(draft, ct).ConfigureAwait(false));
            }
            catch (Exception fault) when (options.From is not null && fault is CommandFault or PackageException or IOException or UnauthorizedAccessException)
            {
                FaultReport report = FaultReport.Of(fault);
                foreach (string detail in report.Details)
                {
                    terminal.Note(detail);
                }

                terminal.Note($"{draft.Id}: {report.Message}", Tone.Bad);
                _left.Add((draft.Id, report.Message));
                failed = true;
            }
        }

        if (_written.Count == 0)
        {
            throw new CommandFault("no server is left to write a policy for", failed ? "See the messages above." : "Answer y to the servers that you want.");
        }

        PolicySnapshot policy = Write();
        new InitReport(terminal, options, _written, _left, policy).Show();
        return failed ? ExitCodes.Negative : ExitCodes.Done;
    }

    private void RefuseOutput()
    {
        if (Directory.Exists(options.Output))
        {
            throw new CommandFault($"{options.Output} is a folder", "Name a file with -o.");
        }

        if (File.Exists(options.Output) && !options.Force)
        {
            throw new CommandFault($"{options.Output} exists", "Name another file with -o, or overwrite it with --force.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(options.Output)))
        {
            throw new CommandFault($"there is no folder {Path.GetDirectoryName(options.Output)}", "Create it, or name another file with -o.");
        }
    }

    private ServerDraft One()
    {
        int ways = new[] { options.Command, options.Package, options.Url }.Count(static way => way is not null);
        if (ways > 1)
        {
            throw new CommandFault("--command, --package and --url exclude each other", "Give one of them; several servers come from a client's configuration with --from.");
        }

        IReadOnlyList<string> arguments = options.Arguments;
        string? command = options.Command;
        if (ways == 0)
        {
            if (arguments.Count == 0)
            {
                throw new CommandFault("nothing says which server", "Give --command, --package, --url or --from; 'mcp-guard init --help' has examples.");
            }

            command = arguments[0];
            arguments = [.. arguments.Skip(1)];
        }

        if (options.Url is not null && (arguments.Count > 0 || !options.IsIsolated))
        {
            throw new CommandFault("a server reached by --url is not started here: it takes no arguments and no --unisolated", "Leave them out.");
        }

        for (int i = 0; i < arguments.Count; i++)
        {
            if (SecretLook.IsSecretArgument(i == 0 ? null : arguments[i - 1], arguments[i]))
            {
                throw new CommandFault($"argument {i + 1} looks like a secret, and a policy holds none", "Give it to the server in a variable: --env NAME takes its value from the environment.");
            }
        }

        (PackageKind? kind, string? name, string? version) = PackageOf(options.Package);
        var draft = new ServerDraft
        {
            Id = string.Empty,
            Command = command,
            Registry = kind,
            Package = name,
            Version = version,
            Arguments = arguments,
            Url = options.Url,
            Environment = Variables(),
        };
        draft = RunnerConversion.Convert(draft);
        return draft with { Id = options.Name is { } id ? PolicyText.IsId(id, 64) ? id : throw new CommandFault($"'{id}' is no id of a server", "Use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit.") : IdOf(draft) };
    }

    private static string IdOf(ServerDraft draft)
    {
        string name = draft.Package is { } package ? package[(package.LastIndexOf('/') + 1)..]
            : draft.Url is { } url ? (Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) ? parsed.Host : "server")
            : draft.Arguments.FirstOrDefault(static argument => !argument.StartsWith('-') && argument.AsSpan().ContainsAny('/', '\\')) is { } script
                && Path.GetFileNameWithoutExtension(draft.Command) is "node" or "python" or "python3" or "dotnet" ? NameOfScript(script)
            : Path.GetFileNameWithoutExtension(draft.Command!);
        return ClientConfiguration.IdOf(name.StartsWith("server-", StringComparison.Ordinal) ? name["server-".Length..] : name, new HashSet<string>(StringComparer.Ordinal));
    }

    /// <summary>Of <c>weather/dist/index.js</c> that is <c>weather</c>: the names that every project has say nothing.</summary>
    private static string NameOfScript(string script)
    {
        string[] parts = script.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);
        string name = Path.GetFileNameWithoutExtension(parts[^1]);
        for (int i = parts.Length - 2; i >= 0 && name is "index" or "main" or "server" or "app" or "cli" or "dist" or "build" or "src" or "lib" or "bin" or "out"; i--)
        {
            name = parts[i];
        }

        return name;
    }

    private static (PackageKind? Kind, string? Name, string? Version) PackageOf(string? package)
    {
        if (package is null)
        {
            return default;
        }

        PackageKind kind = package.StartsWith("dotnet:", StringComparison.Ordinal) || package.StartsWith("nuget:", StringComparison.Ordinal) ? PackageKind.Dotnet : PackageKind.Npm;
        int colon = package.IndexOf(':', StringComparison.Ordinal);
        (string name, string version) = RunnerConversion.Split(colon >= 0 && package[..colon] is "npm" or "dotnet" or "nuget" ? package[(colon + 1)..] : package);
        return (kind, name, version);
    }

    private Dictionary<string, DraftValue> Variables()
    {
        var variables = new Dictionary<string, DraftValue>(StringComparer.Ordinal);
        foreach (string entry in options.Environment)
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? entry : entry[..equals];
            if (name.Length == 0)
            {
                throw new CommandFault("--env names no variable", "Write --env NAME or --env NAME=VALUE.");
            }

            if (equals > 0 && SecretLook.IsSecret(name, entry[(equals + 1)..]))
            {
                throw new CommandFault($"the value of {name} can be a secret, and a policy holds none", $"Set {name} in the environment and write --env {name}.");
            }

            if (!variables.TryAdd(name, equals < 0 ? DraftValue.Reference(name, null) : DraftValue.Written(entry[(equals + 1)..])))
            {
                throw new CommandFault($"--env names {name} twice", "Keep one.");
            }
        }

        return variables;
    }

    private List<ServerDraft> FromClient()
    {
        if (options.Command is not null || options.Package is not null || options.Url is not null || options.Arguments.Count > 0 || options.Name is not null || options.Environment.Count > 0 || options.Roots.Count > 0)
        {
            throw new CommandFault("--from takes everything from the file", "Leave out --command, --package, --url, --name, --env, --root and arguments, and edit the policy afterwards.");
        }

        ClientConfiguration configuration = ClientConfiguration.Read(options.From!);
        foreach ((string name, string problem) in configuration.Refused)
        {
            terminal.Note($"{name}: left out: {problem}", Tone.Caution);
            _left.Add((name, problem));
        }

        return configuration.Servers.Count > 0 ? configuration.Servers : throw new CommandFault($"{options.From} has no server that can be used", "See the messages above.");
    }

    /// <summary>Everything that would be started, before anything is.</summary>
    private string QuestionOf(ServerDraft given, ServerDraft draft)
    {
        terminal.Note(string.Empty);
        terminal.Note($"{draft.Id}: {(given.Url ?? string.Join(' ', new[] { given.Command! }.Concat(given.Arguments).Select(static word => Printable.Quote(word))))}", Tone.Strong);
        if (draft.Package is { } package)
        {
            terminal.Note($"  becomes the package {package} {(string.IsNullOrEmpty(draft.Version) ? "(the latest version, then pinned)" : draft.Version)}, installed without running its scripts", Tone.Plain);
        }

        foreach ((string name, DraftValue value) in draft.Environment.Concat(draft.Headers))
        {
            terminal.Note(value.Secret is { } secret ? $"  {name}: a secret, written as a reference to {secret}" : $"  {name}: {value.Literal}", Tone.Plain);
        }

        return draft.Url is not null ? "Connect to it once to list its tools?"
            : options.IsIsolated ? "Start it once, in a box without network, to list its tools?"
            : "Start it once WITHOUT isolation, with all your rights, to list its tools?";
    }

    private async Task<(ServerDraft Draft, DraftedRules Rules)> DraftAsync(ServerDraft draft, CancellationToken ct)
    {
        string folder = options.From is null ? Environment.CurrentDirectory : Path.GetDirectoryName(PolicyFile.FullPath(options.From))!;
        draft = await terminal.WithProgressAsync($"asking for the version of {draft.Package}", () => PackageVersions.PinAsync(draft, options.Installer, ct)).ConfigureAwait(false);
        draft = DraftPreparation.Prepare(draft with { IsIsolated = options.IsIsolated, Readable = options.Readable }, folder, options.Roots);
        PolicySnapshot trial = Read(Draft([(draft, null)]).ToUtf8(), draft.Id);
        if (trial.Servers[draft.Id].Endpoint is PackageEndpoint package)
        {
            var installer = new PackageInstaller(new PackageStore(trial.PackageStore), options.Installer);
            await terminal.WithProgressAsync($"installing {package.Name}@{package.Version}", () => installer.InstallAsync(package, ct)).ConfigureAwait(false);
        }

        ProbedServer probed;
        try
        {
            probed = await terminal.WithProgressAsync(
                draft.IsProcess ? $"starting {draft.Id}" : $"connecting to {draft.Id}",
                () => ServerProbe.RunAsync(trial, draft.Id, null, draft.KnownSecrets(), options.Timeout, ct)).ConfigureAwait(false);
        }
        catch (CommandFault refused) when (draft.IsProcess && options.IsIsolated)
        {
            throw new CommandFault(refused.Message, "Files that it needs are shown with --readable, folders that it works on with --root. Without a box it runs only with --unisolated.", refused.ExitCode, refused)
            {
                Details = refused.Details,
            };
        }

        return (draft, DraftedRules.Of(probed, options.AllowReadOnly, draft is { IsProcess: true, IsIsolated: true }));
    }

    private PolicyDraft Draft(IReadOnlyList<(ServerDraft Draft, DraftedRules? Rules)> servers) => new()
    {
        PackageStore = options.PackageStore ?? (servers.Any(static pair => pair.Draft.Package is not null) ? _store : null),
        StateDirectory = options.StateDirectory,
        Servers = servers,
    };

    private PolicySnapshot Write()
    {
        byte[] utf8 = Draft([.. _written.Select(static pair => (pair.Draft, (DraftedRules?)pair.Rules))]).ToUtf8();
        PolicySnapshot policy = Read(utf8, "all servers");

        // Whole or not at all, and never over a file that came meanwhile.
        string staged = options.Output + "." + Path.GetRandomFileName();
        try
        {
            using (var file = new FileStream(staged, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(utf8);
                file.Flush(flushToDisk: true);
            }

            File.Move(staged, options.Output, overwrite: options.Force);
        }
        finally
        {
            File.Delete(staged);
        }

        return policy;
    }

    /// <summary>Reads what was drafted as the guard will. What the reader refuses is said of the server: nobody has seen the document's lines.</summary>
    private PolicySnapshot Read(byte[] utf8, string what)
    {
        try
        {
            return PolicyReader.Read(utf8, options.Output, new BuiltInSchemaCompiler());
        }
        catch (McpGuardPolicyException refused)
        {
            GuardPolicyError first = refused.Errors[0];
            bool exposes = first.Message.Contains("would let the server reach", StringComparison.Ordinal);
            throw new CommandFault($"{what}: no policy can say this: {first.Message}", exposes ? "Write the policy to a folder that no server reaches, with -o." : first.Fix + ".", cause: refused);
        }
    }
}
