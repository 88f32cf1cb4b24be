using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Tests.Stages.KillSwitch;

[TestFixture]
internal sealed class HaltSwitchTests
{
    private static readonly HaltScope[] Scopes =
    [
        HaltScope.Everything, new("s"), new("s", "t"), new(UserId: "u"), new("s", UserId: "u"), new("s", "t", "u"), new("x"), new("s", "x"), new(UserId: "x"), new("s", "t", "x"),
    ];

    [TestCaseSource(nameof(Scopes))]
    public void Find_OneScopeStopped_CoversExactlyWhatTheScopeSays(HaltScope scope)
    {
        var halts = new HaltSwitch();
        halts.Apply([new Halt(scope, "test", default)]);
        foreach (string server in (string[])["s", "other"])
        {
            foreach (string? tool in (string?[])["t", "other", null])
            {
                foreach (string user in (string[])["u", "other"])
                {
                    bool covers = (scope.Server is null || scope.Server == server) && (scope.Tool is null || scope.Tool == tool) && (scope.UserId is null || scope.UserId == user);
                    Assert.That(halts.Find(server, tool, user)?.Reason, Is.EqualTo(covers ? "test" : null), $"{server} {tool} {user}");
                }
            }
        }

        halts.Apply([]);
        Assert.That(halts.Find("s", "t", "u"), Is.Null);
    }

    [Test]
    public async Task Apply_RunningCalls_CancelsThoseItCovers()
    {
        var halts = new HaltSwitch();
        using HaltSwitch.Watch covered = halts.Observe("s", "t", "u");
        using HaltSwitch.Watch other = halts.Observe("s", "other", "u");
        halts.Apply([new Halt(new HaltScope("s", "t"), "test", default)]);
        await Cancelled(covered.Token);
        Assert.That(other.Token.IsCancellationRequested, Is.False);
        using HaltSwitch.Watch later = halts.Observe("s", "t", "u");
        await Cancelled(later.Token);
    }

    [Test]
    public async Task Apply_CallbackThatHangsOrThrows_DoesNotKeepOthersRunning()
    {
        var halts = new HaltSwitch();
        using var never = new ManualResetEventSlim();
        HaltSwitch.Watch[] running = [.. Enumerable.Range(0, 4).Select(_ => halts.Observe("s", "t", "u"))];
        foreach (HaltSwitch.Watch watch in running[1..3])
        {
            watch.Token.Register(() => never.Wait(TimeSpan.FromMinutes(1)));
        }

        running[0].Token.Register(() => throw new InvalidOperationException("broken"));
        halts.Apply([new Halt(HaltScope.Everything, "test", default)]);
        foreach (HaltSwitch.Watch watch in running)
        {
            await Cancelled(watch.Token);
        }

        never.Set();
    }

    private static async Task Cancelled(CancellationToken token)
    {
        var done = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = token.Register(() => done.TrySetResult());
        await done.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.That(token.IsCancellationRequested, Is.True);
    }
}
