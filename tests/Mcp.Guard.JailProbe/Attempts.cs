using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Mcp.Guard.JailProbe;

/// <summary>What a hostile server may try. Each gives back what it saw; an exception is what it saw too.</summary>
internal static class Attempts
{
    private const int OutOfRange = -1;

    public static string Run(string attempt, string[] arguments) => attempt switch
    {
        "read" => $"read: {File.ReadAllText(arguments[0]).Length} characters",
        "list" => "listed: " + string.Join(' ', Directory.EnumerateFileSystemEntries(arguments[0]).Order(StringComparer.Ordinal)),
        "list-each" => string.Join(' ', Directory.EnumerateFiles(arguments[0], "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(arguments[0], file)).Order(StringComparer.Ordinal)),
        "write" => Write(arguments[0]),
        "environment" => Variables(),
        "connect" => Connect(arguments[0], int.Parse(arguments[1], CultureInfo.InvariantCulture)),
        "unix-socket" => ConnectUnix(arguments[0]),
        "processes" => "processes: " + string.Join(' ', Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(static name => int.TryParse(name, out _)).Order(StringComparer.Ordinal)),
        "signal" => Answer(Kill(int.Parse(arguments[0], CultureInfo.InvariantCulture), 9), "signalled"),
        "fork" => Fork(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "threads" => Threads(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "allocate" => Allocate(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "map-shared" => MapShared(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "map-zero" => MapZero(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "map-growing" => MapGrowing(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "hide-pages" => HidePages(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "hold-hidden" => Hold(() => HidePages(long.Parse(arguments[0], CultureInfo.InvariantCulture))),
        "hold-tables" => Hold(() => PageTables(long.Parse(arguments[0], CultureInfo.InvariantCulture))),
        "hold-file" => Hold(() => Fill(arguments[0], long.Parse(arguments[1], CultureInfo.InvariantCulture))),
        "hold-without-leader" => HoldWithoutLeader(long.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "hold-in-children" => Hold(() => HoldInChildren(int.Parse(arguments[0], CultureInfo.InvariantCulture), arguments[1])),
        "calls" => string.Join('\n', arguments.Select(Call)),
        "show" => "shown: " + File.ReadAllText(arguments[0]).Replace('\0', ' '),
        "links" => string.Join('\n', Directory.EnumerateFileSystemEntries(arguments[0]).Order(StringComparer.Ordinal).Select(static entry => $"{Path.GetFileName(entry)}={new FileInfo(entry).LinkTarget}")),
        "own-loopback" => OwnLoopback(),
        "memory-file" => Answer(MemoryFile("probe"u8.ToArray(), 0), "made a memory file"),
        "descriptors" => Descriptors(),
        "fill" => Fill(arguments[0], long.Parse(arguments[1], CultureInfo.InvariantCulture)),
        "swap" => Swap(arguments[0], arguments[1]),
        "user-namespace" => Answer(Unshare(0x10000000), "made a user namespace"),
        "mount" => Answer(Mount("none"u8.ToArray(), "/tmp"u8.ToArray(), "tmpfs"u8.ToArray(), 0, IntPtr.Zero), "mounted"),
        "trace" => Answer((int)Trace(16, int.Parse(arguments[0], CultureInfo.InvariantCulture), 0, 0), "traced"),
        "push-terminal" => Answer(Ioctl(0, 0x5412, "x"u8.ToArray()), "pushed terminal input"),
        "device-node" => Answer(MakeNode(Encoding.UTF8.GetBytes(arguments[0] + "\0"), 0x2000 | 0x1b6, 0x0101), "made a device"),
        "raise-limit" => RaiseLimit(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "privileges" => Privileges(),
        "daemon" => Daemon(arguments[0]),
        "stay" => Stay(arguments),
        "spam" => Spam(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
        "terminal-text" => ErrorText(),
        "copy" => Copy(),
        "exit" => Exit(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
        _ => "failed: no such attempt",
    };

    private static string Write(string path)
    {
        File.WriteAllText(path, "changed");
        return "wrote " + path;
    }

    private static string Variables()
    {
        var names = new List<string>();
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            names.Add($"{entry.Key}={entry.Value}");
        }

        names.Sort(StringComparer.Ordinal);
        return string.Join('\n', names);
    }

    private static string Connect(string address, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        return socket.ConnectAsync(IPAddress.Parse(address), port).Wait(TimeSpan.FromSeconds(3)) ? "connected" : "failed: no answer";
    }

    private static string ConnectUnix(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        // An argument cannot hold the zero character that an abstract name begins with.
        socket.Connect(new UnixDomainSocketEndPoint(path.StartsWith('@') ? $"\0{path[1..]}" : path));
        return "connected";
    }

    private static string Fork(int wanted)
    {
        var children = new List<Process>();
        try
        {
            while (children.Count < wanted)
            {
                children.Add(Process.Start("/bin/sleep", "60"));
            }

            return $"forked {children.Count}";
        }
        catch (Exception fault)
        {
            return $"failed: after {children.Count}: {fault.Message}";
        }
        finally
        {
            children.ForEach(static child => child.Kill());
        }
    }

    private static string Threads(int wanted)
    {
        int started = 0;
        using var end = new ManualResetEventSlim();
        try
        {
            for (; started < wanted; started++)
            {
                new Thread(() => end.Wait(), 128 * 1024) { IsBackground = true }.Start();
            }

            return $"started {started}";
        }
        catch (Exception fault)
        {
            return $"failed: after {started}: {fault.GetType().Name}";
        }
        finally
        {
            end.Set();
        }
    }

    private static string Allocate(long wanted)
    {
        const int Step = 1 << 20;
        long got = 0;
        var blocks = new IntPtr[wanted / Step];
        for (; got < wanted; got += Step)
        {
            IntPtr block = Map(IntPtr.Zero, Step, 3, 0x22, -1, 0);
            if (block == OutOfRange)
            {
                // The runtime needs some memory itself to tell what happened.
                for (int i = 0; i < Math.Min(64, got / Step); i++)
                {
                    _ = Unmap(blocks[i], Step);
                }

                return $"failed: after {got} bytes";
            }

            blocks[got / Step] = block;

            Touch(block, Step);
        }

        return $"allocated {got}";
    }

    private static string MapShared(long wanted)
    {
        IntPtr block = Map(IntPtr.Zero, (nint)wanted, 3, 0x21, -1, 0);
        return block == OutOfRange ? $"failed: {Marshal.GetLastPInvokeErrorMessage()}" : $"mapped {wanted}";
    }

    // A shared map of /dev/zero is shared anonymous memory by another name.
    private static string MapZero(long wanted)
    {
        using FileStream zero = new("/dev/zero", FileMode.Open, FileAccess.ReadWrite);
        IntPtr block = Map(IntPtr.Zero, (nint)wanted, 3, 0x01, (int)zero.SafeFileHandle.DangerousGetHandle(), 0);
        return block == OutOfRange ? $"failed: {Marshal.GetLastPInvokeErrorMessage()}" : $"mapped {wanted}";
    }

    // Memory that grows downwards counts as stack.
    private static string MapGrowing(long wanted)
    {
        IntPtr block = Map(IntPtr.Zero, (nint)wanted, 3, 0x122, -1, 0);
        return block == OutOfRange ? $"failed: {Marshal.GetLastPInvokeErrorMessage()}" : $"mapped {wanted}";
    }

    // Written and then read-only: the kernel counts it as data no more, and it stays in memory.
    private static string HidePages(long wanted)
    {
        const int Step = 8 << 20;
        long got = 0;
        for (; got < wanted; got += Step)
        {
            IntPtr block = Map(IntPtr.Zero, Step, 3, 0x22, -1, 0);
            if (block == OutOfRange)
            {
                return $"failed: after {got} bytes";
            }

            Touch(block, Step);
            if (Protect(block, Step, 1) != 0)
            {
                return $"failed: {Marshal.GetLastPInvokeErrorMessage()}";
            }
        }

        return $"holds {got}";
    }

    // Reading a page of a map that cannot be written gives the kernel's one page of zeros, which is no one's memory; the table that leads to it is memory.
    private static string PageTables(long wanted)
    {
        const nint Reach = 2 << 20;
        long got = 0;
        for (; got < wanted; got += 4096)
        {
            if (got % (512 * 4096) == 0)
            {
                IntPtr next = Map(IntPtr.Zero, Reach * 512, 1, 0x4022, -1, 0);
                if (next == OutOfRange)
                {
                    return $"failed: after {got} bytes: {Marshal.GetLastPInvokeErrorMessage()}";
                }

                for (nint table = 0; table < 512; table++)
                {
                    _ = Marshal.ReadByte(next + (table * Reach));
                }
            }
        }

        return $"holds {got}";
    }

    private static string Hold(Func<string> attempt)
    {
        Console.WriteLine(attempt());
        Console.Out.Flush();
        new ManualResetEventSlim().Wait();
        return "";
    }

    // A process whose first thread has ended shows no memory under its own id.
    private static string HoldWithoutLeader(long wanted)
    {
        new Thread(() =>
        {
            SpinWait.SpinUntil(LeaderHasEnded);
            Hold(() => HidePages(wanted));
        }).Start();
        _ = SystemCall(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 93 : 60, 0, 0, 0, 0, 0, 0);
        return "failed: still there";
    }

    private static bool LeaderHasEnded() =>
        File.ReadLines($"/proc/{Environment.ProcessId}/status").Any(static line => line.StartsWith("State:\tZ", StringComparison.Ordinal));

    private static string HoldInChildren(int children, string each)
    {
        for (int i = 0; i < children; i++)
        {
            Process.Start(Environment.ProcessPath!, [typeof(Attempts).Assembly.Location, "hold-hidden", each]);
        }

        return "started";
    }

    // NUMBER or NUMBER:FIRST; the other arguments are no valid descriptor, address or size.
    private static string Call(string call)
    {
        string[] parts = call.Split(':');
        long first = parts.Length > 1 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : -1;
        long result = SystemCall(long.Parse(parts[0], CultureInfo.InvariantCulture), first, -1, -1, -1, -1, -1);
        return $"{call}={(result >= 0 ? "done" : Marshal.GetLastPInvokeError().ToString(CultureInfo.InvariantCulture))}";
    }

    private static string OwnLoopback()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return Connect("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
    }

    private static void Touch(IntPtr block, int length)
    {
        for (int offset = 0; offset < length; offset += 4096)
        {
            Marshal.WriteByte(block, offset, 1);
        }
    }

    // The runtime has descriptors of its own; those of the host would name other files and pipes.
    private static string Descriptors()
    {
        var found = new List<string>();
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            string target = new FileInfo(entry).LinkTarget ?? "gone";
            if (target.StartsWith('/') || target.StartsWith("pipe:", StringComparison.Ordinal) || target.StartsWith("socket:", StringComparison.Ordinal))
            {
                found.Add($"{Path.GetFileName(entry)}={target}");
            }
        }

        return string.Join('\n', found);
    }

    private static string Fill(string path, long wanted)
    {
        byte[] block = new byte[1 << 20];
        long written = 0;
        try
        {
            using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            for (; written < wanted; written += block.Length)
            {
                file.Write(block);
            }

            return $"wrote {written}";
        }
        catch (IOException fault)
        {
            return $"failed: after {written} bytes: {fault.Message}";
        }
    }

    private static string Swap(string folder, string target)
    {
        Directory.Move(folder, folder + ".old");
        Directory.CreateSymbolicLink(folder, target);
        return "swapped";
    }

    private static string RaiseLimit(int resource)
    {
        long[] limit = [-1, -1];
        return Answer(SetLimit(resource, limit), "raised");
    }

    private static string Privileges() => string.Join('\n', File.ReadAllLines("/proc/self/status").Where(static line =>
        line.StartsWith("Cap", StringComparison.Ordinal) || line.StartsWith("NoNewPrivs", StringComparison.Ordinal)
        || line.StartsWith("Seccomp:", StringComparison.Ordinal) || line.StartsWith("Uid", StringComparison.Ordinal)));

    // Leaves its session, so that only a box can hold it; writes its own process id where it is told.
    private static string Daemon(string argument)
    {
        using Process? process = Process.Start(new ProcessStartInfo("/usr/bin/setsid") { ArgumentList = { "-f", "/bin/sleep", argument } });
        process!.WaitForExit();
        return "left a process behind";
    }

    // Ignores the end of its input and SIGTERM.
    private static string Stay(string[] arguments)
    {
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, static context => context.Cancel = true);
        if (arguments is [var seconds])
        {
            Daemon(seconds);
        }

        Console.WriteLine($"staying {Environment.ProcessId}");
        Console.Out.Flush();
        new ManualResetEventSlim().Wait();
        return "";
    }

    private static string Spam(int lines)
    {
        string text = new('x', 100_000);
        for (int i = 0; i < lines; i++)
        {
            Console.Error.WriteLine($"{i.ToString(CultureInfo.InvariantCulture)} {text}");
        }

        return "spammed";
    }

    private static string ErrorText()
    {
        Console.Error.WriteLine("\u001b[2Jred \u202e text");
        return "written";
    }

    private static string Copy()
    {
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line);
        }

        return "ended";
    }

    private static string Exit(int code)
    {
        Console.Error.WriteLine("leaving");
        Environment.Exit(code);
        return "";
    }

    private static string Answer(int result, string done) => result >= 0 ? done : $"failed: {Marshal.GetLastPInvokeErrorMessage()}";

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int pid, int signal);

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern long SystemCall(long number, long first, long second, long third, long fourth, long fifth, long sixth);

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static extern int Unshare(int flags);

    [DllImport("libc", EntryPoint = "mount", SetLastError = true)]
    private static extern int Mount(byte[] source, byte[] target, byte[] type, ulong flags, IntPtr data);

    [DllImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    private static extern long Trace(int request, int pid, nint address, nint data);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Ioctl(int descriptor, ulong request, byte[] argument);

    [DllImport("libc", EntryPoint = "mknod", SetLastError = true)]
    private static extern int MakeNode(byte[] path, uint mode, ulong device);

    [DllImport("libc", EntryPoint = "memfd_create", SetLastError = true)]
    private static extern int MemoryFile(byte[] name, uint flags);

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static extern int SetLimit(int resource, long[] limit);

    [DllImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static extern int Protect(IntPtr address, nint length, int protection);

    [DllImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static extern int Unmap(IntPtr address, nint length);

    [DllImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static extern IntPtr Map(IntPtr address, nint length, int protection, int flags, int descriptor, long offset);
}
