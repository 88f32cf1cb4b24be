using System.ComponentModel;
using System.IO.Pipes;
using System.Text;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>Turns a plan into a running program: opens what is bound, makes the private folder, hands over descriptors, waits for the box's answer.</summary>
internal static class ServerLauncher
{
    public static async Task<StartedProgram> StartAsync(IsolationPlan plan, ServerProcessOptions options, CancellationToken ct)
    {
        string? privateFolder = plan.WorkingDirectory is null ? MakePrivateFolder(plan) : null;
        try
        {
            IsolationPlan placed = privateFolder is null ? plan : PrivateFolder.Place(plan, privateFolder);
            if (plan.Cgroup is not null)
            {
                CgroupFolder.Create(plan.Cgroup);
            }

            if (plan.Handover is not null)
            {
                return await JailStart.StartAsync(placed, plan.Handover, options, ct).ConfigureAwait(false);
            }

            return new StartedProgram(await StartProgramAsync(placed, []).ConfigureAwait(false), null, null, privateFolder);
        }
        catch (Exception fault)
        {
            if (privateFolder is not null)
            {
                Directory.Delete(privateFolder, recursive: true);
            }

            CgroupFolder.Remove(plan.Cgroup);
            if (fault is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                throw new IsolationException(plan.Server, IsolationFault.StartFailed, fault.Message, "Check the program and its folders", fault);
            }

            throw;
        }
    }

    /// <summary>Runs a helper program to its end without input; ends it after a time.</summary>
    public static async Task RunToEndAsync(PlannedCommand command, IReadOnlyList<IsolationVariable> environment, TimeSpan limit, TimeProvider time)
    {
        var request = new SpawnRequest(command.Executable, command.Arguments, ToPairs(environment), "/", []);
        ChildProcess child = OperatingSystem.IsLinux()
            ? await LinuxChildProcess.StartAsync(request, treeMark: null).ConfigureAwait(false)
            : PortableChildProcess.Start(request with { WorkingDirectory = Path.GetTempPath() });
        await using (child.ConfigureAwait(false))
        {
            await child.StandardInput.DisposeAsync().ConfigureAwait(false);
            Task drained = Task.WhenAll(child.StandardOutput.CopyToAsync(Stream.Null), child.StandardError.CopyToAsync(Stream.Null));
            await child.Exited.WaitAsync(limit, time).ConfigureAwait(false);
            await drained.WaitAsync(limit, time).ConfigureAwait(false);
        }
    }

    public static async Task<ChildProcess> StartProgramAsync(IsolationPlan plan, IReadOnlyList<KeyValuePair<int, LinuxDescriptor>> descriptors)
    {
        var request = new SpawnRequest(plan.Executable, plan.Arguments, ToPairs(plan.Environment), plan.WorkingDirectory!, descriptors);
        if (!OperatingSystem.IsLinux())
        {
            return PortableChildProcess.Start(request);
        }

        string? mark = plan.Mode == IsolationMode.None ? $"{NonePlanner.MarkName}={plan.InstanceId}" : null;
        return await LinuxChildProcess.StartAsync(request, mark).ConfigureAwait(false);
    }

    private static List<KeyValuePair<string, string>> ToPairs(IReadOnlyList<IsolationVariable> variables)
    {
        var pairs = new List<KeyValuePair<string, string>>(variables.Count);
        foreach (IsolationVariable variable in variables)
        {
            pairs.Add(new(variable.Name, variable.Value));
        }

        return pairs;
    }

    private static string MakePrivateFolder(IsolationPlan plan)
    {
        // Made with mode 0700 on Unix and under the user's own folder on Windows.
        string folder = Directory.CreateTempSubdirectory("mcp-guard-").FullName;
        string start = Directory.CreateDirectory(PrivateFolder.Start(folder)).FullName;
        string writable = Directory.CreateDirectory(PrivateFolder.Writable(folder)).FullName;
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Reachable = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(start, Reachable);
            File.SetUnixFileMode(writable, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (plan.FolderOwner is not null)
            {
                // Another user goes through it, and may neither list nor change it.
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            }
        }

        if (plan.FolderOwner is { } owner && LinuxNative.ChangeOwner(LinuxDescriptor.ToCString(writable), owner.User, owner.Group) != 0)
        {
            Directory.Delete(folder, recursive: true);
            throw new IsolationException(plan.Server, IsolationFault.StartFailed, $"its private folder cannot be given to user {owner.User}", "Let the host run as root or as that user");
        }

        return folder;
    }
}
