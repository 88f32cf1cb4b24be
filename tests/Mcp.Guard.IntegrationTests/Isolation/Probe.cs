using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Starts the hostile probe through the real launcher and gives back what it saw.</summary>
internal static class Probe
{
    public const string Dotnet = "/usr/bin/dotnet";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    public static string Library { get; } = Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.JailProbe.dll");

    /// <summary>Ends the running test as skipped where boxes of bubblewrap cannot be made.</summary>
    public static void RequireBubblewrap()
    {
        IsolationHost host = IsolationHost.Detect();
        string? missing = !host.IsLinux ? "Linux"
            : host.Bubblewrap is null ? "the program bwrap (package bubblewrap)"
            : !host.BubblewrapBindsDescriptors ? "a bwrap with --ro-bind-fd"
            : host.IsRoot && host.SetPrivileges is null ? "setpriv (package util-linux), since the tests run as root"
            : host.Architecture is null ? "a processor with a system-call filter (x64, arm64)"
            : !File.Exists(Dotnet) ? $"{Dotnet}"
            : null;
        if (missing is not null)
        {
            Assert.Ignore($"needs {missing}, which is absent here");
        }
    }

    public static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(Dotnet))
        {
            Assert.Ignore($"needs Linux with {Dotnet}");
        }
    }

    /// <summary>Options that run the probe with the least.</summary>
    public static IsolationOptions Options(IsolationMode mode, params string[] arguments) => new()
    {
        Server = "probe",
        InstanceId = Guid.NewGuid().ToString("N")[..12],
        Mode = mode,
        Executable = Dotnet,
        Arguments = [Library, .. arguments],
        Readable = mode == IsolationMode.Bubblewrap ? [AppContext.BaseDirectory.TrimEnd('/')] : [],
    };

    public static IsolationOptions Boxed(params string[] arguments) => Options(IsolationMode.Bubblewrap, arguments);

    public static Task<ServerProcess> StartAsync(IsolationOptions options, ServerProcessOptions? process = null, ILogger? logger = null) =>
        ServerProcess.StartAsync(IsolationPlanner.Create(options, IsolationHost.Detect()), process ?? new ServerProcessOptions(), logger ?? NullLogger.Instance);

    /// <summary>Runs the probe to its end with its input open.</summary>
    public static async Task<JailRun> RunAsync(IsolationOptions options, ServerProcessOptions? process = null)
    {
        // The probe's last words are judged: on a busy machine they take longer than a host would wait for them.
        await using ServerProcess server = await StartAsync(options, (process ?? new ServerProcessOptions()) with { ErrorGrace = s_limit });
        using var reader = new StreamReader(server.Output);
        string said = await reader.ReadToEndAsync().WaitAsync(s_limit);
        ServerProcessExit exit = await server.Exited.WaitAsync(s_limit);
        TestContext.Out.WriteLine($"{string.Join(' ', options.Arguments.Skip(1))}: {said.Trim()} {string.Join(" | ", exit.ErrorTail)}");
        return new JailRun(said.Trim(), exit.Code, exit.ErrorTail);
    }

    /// <summary>A new folder that any user may use, removed by the caller.</summary>
    public static string MakeFolder(UnixFileMode others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute)
    {
        string folder = Directory.CreateTempSubdirectory("guard-test-").FullName;
        if (OperatingSystem.IsWindows())
        {
            return folder;
        }

        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | others);
        return folder;
    }
}
