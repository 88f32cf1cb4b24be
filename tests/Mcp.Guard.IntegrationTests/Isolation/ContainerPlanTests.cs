using System.Diagnostics;
using System.Text;
using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>The exact argument list of container mode for ten policies, and a real run where an engine answers.</summary>
[TestFixture]
internal sealed class ContainerPlanTests
{
    private const string Image = "docker.io/library/node@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly IsolationHost s_docker = new()
    {
        IsLinux = true,
        Docker = "/usr/bin/docker",
        Podman = "/usr/bin/podman",
        User = new JailUser(1000, 1000),
        HomeFolder = "/home/host",
        Files = new FakeFiles("/home", "/home/host", "/srv", "/srv/project", "/srv/data", "/srv/data/state", "/srv/data/state/mcp-guard.json", "/srv/with space", "/srv/a,b", "/srv/config.json"),
    };

    private static IsolationOptions Options(string server) => new()
    {
        Server = server,
        InstanceId = "0a1b2c",
        Mode = IsolationMode.Container,
        Executable = "/usr/local/bin/node",
        Arguments = ["/app/index.js"],
        Image = Image,
    };

    internal static IEnumerable<TestCaseData> Policies()
    {
        yield return Case("defaults", Options("defaults"), s_docker);
        yield return Case("readable", Options("files") with { Readable = ["/srv/project", "/srv/config.json"] }, s_docker);
        yield return Case("writable", Options("files") with { Readable = ["/srv/data"], Writable = ["/srv/project"], WorkingDirectory = "/srv/project" }, s_docker);
        yield return Case("network", Options("web") with { Network = IsolationNetwork.Host }, s_docker);
        yield return Case("loopback", Options("web") with { Network = IsolationNetwork.Loopback }, s_docker);
        yield return Case("limits", Options("small") with { Memory = 256 << 20, Cpus = 0.5, Processes = 32, OpenFiles = 64, FileSize = 1 << 20, Temp = 0 }, s_docker);
        yield return Case("unlimited", Options("large") with { Processes = null, OpenFiles = null, FileSize = null }, s_docker);
        yield return Case(
            "environment",
            Options("keys") with { Environment = [new("MODE", "a=b c"), new("API_KEY", "s3cret", Secret: true), new("HTTPS_PROXY", "http://proxy:3128")] },
            s_docker);
        yield return Case("masked", Options("masked") with { Readable = ["/srv/data"], GuardPaths = ["/srv/data/state/mcp-guard.json"], User = "2000:3000" }, s_docker);
        yield return Case("podman", Options("Bad; name $(x)") with { Writable = ["/srv/with space"], Arguments = ["--flag", "a b", "$(x)", ""] }, s_docker with { Docker = null });
    }

    private static TestCaseData Case(string name, IsolationOptions options, IsolationHost host) => new TestCaseData(name, options, host).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Policies))]
    public void Create_Policy_GivesTheApprovedArguments(string name, IsolationOptions options, IsolationHost host)
    {
        IsolationPlan plan = IsolationPlanner.Create(options, host);
        var received = new StringBuilder();
        received.Append(plan.Executable).Append('\n');
        foreach (string argument in plan.Arguments)
        {
            received.Append(argument).Append('\n');
        }

        received.Append("\nenvironment of the client:\n");
        foreach (IsolationVariable variable in plan.Environment)
        {
            received.Append(variable.Name).Append('\n');
        }

        string folder = Path.Combine(AppContext.BaseDirectory, "Isolation", "Approved");
        string approved = Path.Combine(folder, $"container-{name}.txt");
        if (!File.Exists(approved) || File.ReadAllText(approved) != received.ToString())
        {
            string file = Path.Combine(AppContext.BaseDirectory, $"container-{name}.received.txt");
            File.WriteAllText(file, received.ToString());
            Assert.Fail($"not the approved arguments; received:\n{received}");
        }
    }

    [Test]
    public void Approved_Files_AreTen() =>
        Assert.That(Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Isolation", "Approved"), "container-*.txt"), Has.Length.EqualTo(10));

    [TestCase(null)]
    [TestCase("node")]
    [TestCase("node:22")]
    [TestCase("node@sha256:0123")]
    [TestCase("--privileged@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [TestCase("node@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void Create_ImageNotByDigest_IsRefused(string? image) => Refuses(Options("x") with { Image = image }, s_docker, IsolationFault.InvalidOptions);

    // A package of the guard's store is started by the image's own interpreter; of the store nothing else is shown.
    [Test]
    public void Create_PackageOfTheStore_IsMountedReadOnlyAndNothingElseOfTheStore()
    {
        const string Package = "/var/lib/guard/packages/npm/server@1.0.0";
        IsolationPlan plan = IsolationPlanner.Create(
            Options("files") with
            {
                Executable = "/usr/bin/env",
                Arguments = ["node", $"{Package}/node_modules/server/dist/index.js", "/srv/project"],
                Package = Package,
                Writable = ["/srv/project"],
                GuardPaths = ["/var/lib/guard", "/var/lib/guard/packages"],
            },
            s_docker with { Files = new FakeFiles("/srv", "/srv/project", "/var", "/var/lib", "/var/lib/guard", "/var/lib/guard/packages", Package) });
        string[] mounts = [.. plan.Arguments.Where(static argument => argument.StartsWith("type=", StringComparison.Ordinal))];
        Assert.Multiple(() =>
        {
            Assert.That(mounts, Is.EquivalentTo((string[])["type=bind,source=/srv/project,target=/srv/project", $"type=bind,source={Package},target={Package},readonly"]));
            Assert.That(plan.Arguments.SkipWhile(static argument => argument != "--entrypoint"), Is.EqualTo((string[])["--entrypoint", "/usr/bin/env", Image, "node", $"{Package}/node_modules/server/dist/index.js", "/srv/project"]));
        });
    }

    [Test]
    public void Create_NoEngine_IsRefusedWithTheFix()
    {
        IsolationException refused = Refuses(Options("x"), s_docker with { Docker = null, Podman = null }, IsolationFault.ModeUnavailable);
        Assert.That(refused.Fix, Does.Contain("Install"));
    }

    [TestCase("docker", "/usr/bin/docker")]
    [TestCase("podman", "/usr/bin/podman")]
    public void Create_EngineOfThePolicy_IsUsed(string engine, string program) =>
        Assert.That(IsolationPlanner.Create(Options("x") with { Engine = engine }, s_docker).Executable, Is.EqualTo(program));

    [Test]
    public void Create_EngineOfThePolicyThatIsAbsent_IsNotReplacedByTheOther() =>
        Refuses(Options("x") with { Engine = "podman" }, s_docker with { Podman = null }, IsolationFault.ModeUnavailable);

    [Test]
    public void Create_PathThatTheEngineWouldSplit_IsRefused() => Refuses(Options("x") with { Readable = ["/srv/a,b"] }, s_docker, IsolationFault.InvalidOptions);

    [Test]
    public void Create_SecretThatSteersTheClient_IsRefused() =>
        Refuses(Options("x") with { Environment = [new("DOCKER_HOST", "tcp://evil", Secret: true)] }, s_docker, IsolationFault.InvalidOptions);

    [TestCase("/")]
    [TestCase("/home")]
    [TestCase("/home/host")]
    public void Create_FolderThatIsTooBroad_IsRefused(string folder) => Refuses(Options("x") with { Readable = [folder] }, s_docker, IsolationFault.SourceRefused);

    [Test]
    public void Create_Root_IsRefused() => Refuses(Options("x") with { User = "0:0" }, s_docker, IsolationFault.InvalidOptions);

    [Test]
    public void Create_RequiredControlThatIsNotInForce_IsRefused() =>
        Refuses(Options("x") with { Required = [IsolationControls.DiesWithHost] }, s_docker, IsolationFault.ControlUnavailable);

    [Test]
    public async Task Start_WithAnEngine_RunsInTheContainer()
    {
        IsolationHost host = IsolationHost.Detect();
        string? engine = host.Docker ?? host.Podman;
        string? image = engine is null ? null : await FirstImageAsync(engine);
        if (image is null)
        {
            Assert.Ignore(engine is null ? "needs docker or podman, which are absent here" : $"{engine} does not answer or has no image by digest");
        }

        IsolationOptions options = Options("real") with { Image = image, Executable = "/bin/sh", Arguments = ["-c", "id -u; touch /new 2>&1; cat"], Processes = 64 };
        await using ServerProcess server = await ServerProcess.StartAsync(IsolationPlanner.Create(options, host), new ServerProcessOptions { StopGrace = TimeSpan.FromSeconds(20) }, NullLogger.Instance);
        using var reader = new StreamReader(server.Output, leaveOpen: true);
        Assert.That(await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)), Is.Not.EqualTo("0"));
        Assert.That(await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)), Does.Contain("Read-only file system"));
    }

    private static async Task<string?> FirstImageAsync(string engine)
    {
        var start = new ProcessStartInfo(engine) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["images", "--digests", "--format", "{{.Repository}}@{{.Digest}}"])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return Array.Find(said.Split('\n'), static line => line.Contains("@sha256:", StringComparison.Ordinal));
    }

    private static IsolationException Refuses(IsolationOptions options, IsolationHost host, IsolationFault fault)
    {
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(options, host));
        Assert.That(refused!.Fault, Is.EqualTo(fault), refused.Message);
        return refused;
    }
}
