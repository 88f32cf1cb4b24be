using System.ComponentModel;
using System.IO.Pipes;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Starts bwrap and hands over what it must not read from a command line. The order closes races:
/// bwrap waits for its arguments, so it can be put into a cgroup before it forks; its answer means that it dies with this thread;
/// the filter is sent only after that answer, and without a whole filter bwrap starts nothing. A host that is killed anywhere in
/// between leaves a bwrap that cannot write its answer or has no filter, and ends.
/// </summary>
internal static class JailStart
{
    private const int LongestAnswer = 4096;

    public static async Task<StartedProgram> StartAsync(IsolationPlan plan, JailHandover handover, ServerProcessOptions options, CancellationToken ct)
    {
        var given = new List<KeyValuePair<int, LinuxDescriptor>>();
        LinuxDescriptor? arguments = null;
        LinuxDescriptor? filter = null;
        LinuxDescriptor? answer = null;
        ChildProcess? child = null;
        try
        {
            arguments = GivePipe(given, JailHandover.ArgumentsDescriptor);
            filter = GivePipe(given, JailHandover.FilterDescriptor);
            (answer, LinuxDescriptor answerWrite) = LinuxDescriptor.Pipe();
            given.Add(new(JailHandover.InformationDescriptor, answerWrite));
            int number = JailHandover.FirstFileDescriptor;
            var files = new List<(LinuxDescriptor Pipe, ReadOnlyMemory<byte> Content)>();
            foreach (ReadOnlyMemory<byte> content in handover.Files)
            {
                files.Add((GivePipe(given, number++), content));
            }

            foreach (BindMount mount in handover.Mounts)
            {
                given.Add(new(number++, BindSource.Open(plan.Server, mount)));
            }

            child = await ServerLauncher.StartProgramAsync(plan, given).ConfigureAwait(false);
            given.ForEach(static entry => entry.Value.Dispose());
            if (plan.Cgroup is not null)
            {
                CgroupFolder.Add(plan.Cgroup, child.Id);
            }

            foreach ((LinuxDescriptor pipe, ReadOnlyMemory<byte> content) in files)
            {
                await SendAsync(pipe, content, options, ct).ConfigureAwait(false);
            }

            await SendAsync(arguments, ToBytes(handover.EnvironmentArguments), options, ct).ConfigureAwait(false);
            int first = await ReadAnswerAsync(plan, child, answer, options, ct).ConfigureAwait(false);
            JailHandle? jail = JailHandle.TryOpen(first);
            await SendAsync(filter, handover.Filter, options, ct).ConfigureAwait(false);
            return new StartedProgram(child, jail, first, null);
        }
        catch
        {
            if (child is not null)
            {
                await child.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            given.ForEach(static entry => entry.Value.Dispose());
            arguments?.Dispose();
            filter?.Dispose();
            answer?.Dispose();
        }
    }

    private static LinuxDescriptor GivePipe(List<KeyValuePair<int, LinuxDescriptor>> given, int number)
    {
        (LinuxDescriptor read, LinuxDescriptor write) = LinuxDescriptor.Pipe();
        given.Add(new(number, read));
        return write;
    }

    private static async Task SendAsync(LinuxDescriptor pipe, ReadOnlyMemory<byte> content, ServerProcessOptions options, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(options.StartTimeout, options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        using var stream = new AnonymousPipeClientStream(PipeDirection.Out, pipe.IntoPipeHandle());
        try
        {
            await stream.WriteAsync(content, linked.Token).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // bwrap has ended; reading its answer tells why.
        }
    }

    private static async Task<int> ReadAnswerAsync(IsolationPlan plan, ChildProcess child, LinuxDescriptor answer, ServerProcessOptions options, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(options.StartTimeout, options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        using var stream = new AnonymousPipeClientStream(PipeDirection.In, answer.IntoPipeHandle());
        byte[] buffer = new byte[LongestAnswer];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, linked.Token).ConfigureAwait(false);
        if (JailHandle.TryReadChild(Encoding.UTF8.GetString(buffer, 0, length), out int pid))
        {
            return pid;
        }

        length = await child.StandardError.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, linked.Token).ConfigureAwait(false);
        string said = Printable.Escape(Encoding.UTF8.GetString(buffer, 0, length).Trim());
        throw new IsolationException(
            plan.Server,
            IsolationFault.ModeUnavailable,
            $"bubblewrap could not make its box ({said})",
            "Allow unprivileged user namespaces on this machine (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0 or a profile for bwrap), or choose another isolation mode");
    }

    private static byte[] ToBytes(IReadOnlyList<string> arguments)
    {
        var text = new StringBuilder();
        foreach (string argument in arguments)
        {
            text.Append(argument).Append('\0');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
