using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Admits one start of a server process: the command as the policy lists it, no variable that steers loader, search path, TLS or package source, no
/// runner that fetches an open version, the file found in the host's own search path where no server can write it, its digest as pinned.
/// </summary>
internal sealed class LaunchAdmission
{
    private readonly CommandResolver _resolver;

    /// <param name="searchPath">The host's search path.</param>
    /// <param name="writableByServers">Folders that some server of the policy can write.</param>
    public LaunchAdmission(string? searchPath, IReadOnlyList<string> writableByServers) => _resolver = new CommandResolver(searchPath, writableByServers);

    /// <summary>
    /// The folders of a policy in which a server could plant a program or a link: what any server may write, by isolation or by its roots. The one notion of
    /// it: what is started and what is bound into a box are both held to it.
    /// </summary>
    public static IReadOnlyList<string> WritableBy(IEnumerable<ServerSettings> servers) =>
    [
        .. servers.SelectMany(server =>
            (server.Isolation?.Writable ?? []).Concat(server.Roots.Where(root => root.Access == RootAccess.ReadWrite).Select(root => root.Path))),
    ];

    /// <summary>Judges a command and finds its file. Never throws for a text or a state of the file system.</summary>
    /// <param name="command">A bare name or an absolute path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">The whole environment that the policy grants.</param>
    /// <param name="sha256">The pinned digest of the program, or null.</param>
    /// <param name="inImage">True where the command names a file in a container image, which the image's digest pins: nothing is looked up here.</param>
    public LaunchVerdict Admit(
        string command, IReadOnlyList<string> arguments, IReadOnlyList<KeyValuePair<string, string>> environment, string? sha256, bool inImage = false)
    {
        // The policy's own text is the list: what is left to judge is what no list can permit.
        var entry = new CommandEntry(command, [.. arguments.Select(CommandArgument.Literal)], [.. environment.Select(variable => variable.Key)], sha256);
        CommandVerdict listed = new CommandAllowlist([entry]).Check(command, arguments, environment, inImage ? PathFlavor.Unix : RootSet.OwnFlavor);
        if (!listed.IsAllowed)
        {
            return LaunchVerdict.Deny(listed.Denial);
        }

        if (FetchingRunners.IsShellOrWrapper(command) && EnvironmentRules.IsSetBy(arguments))
        {
            return LaunchVerdict.Deny(CommandDenial.VariableForbidden);
        }

        if (FetchingRunners.Check(command, arguments) is { IsRefused: true } runner)
        {
            return LaunchVerdict.Deny(CommandDenial.RunnerNotPinned, $"{runner.Runner}: {runner.Problem}");
        }

        if (inImage)
        {
            return sha256 is not null || command.Length == 0 || command[0] != '/'
                ? LaunchVerdict.Deny(CommandDenial.NotFound, "in a container the command is an absolute path of the image, and the image's digest pins it")
                : LaunchVerdict.Admit(new ResolvedCommand(command, command, [], string.Empty), LaunchFingerprint.Compute(command, arguments, environment, null));
        }

        if (!_resolver.TryResolve(entry, out ResolvedCommand? resolved, out CommandDenial denial))
        {
            return LaunchVerdict.Deny(denial);
        }

        // A link or an alias can hide what is started: the file that it leads to is asked too.
        if (FetchingRunners.Check(resolved!.FilePath, arguments) is { IsRefused: true } hidden)
        {
            return LaunchVerdict.Deny(CommandDenial.RunnerNotPinned, $"{hidden.Runner}: {hidden.Problem}");
        }

        return LaunchVerdict.Admit(resolved, LaunchFingerprint.Compute(resolved.FilePath, [.. resolved.LeadingArguments, .. arguments], environment, resolved.Sha256));
    }
}
