using System.Collections.Concurrent;
using Mcp.Guard.Pipeline;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>Who does what a message leaves behind, and who goes on where that hangs.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class MessageThreadTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly WatchedTime _time = new();
    private readonly BlockingCollection<Action?> _messages = [];
    private readonly ConcurrentDictionary<string, int> _threads = new(StringComparer.Ordinal);
    private readonly MessageThread _thread;

    public MessageThreadTests()
    {
        _thread = new MessageThread("test", TakeNext, _time);
        _thread.Start();
    }

    public void Dispose()
    {
        _messages.Add(null);
        _thread.Dispose();
    }

    private bool TakeNext()
    {
        Action? message = _messages.Take();
        message?.Invoke();
        return message is not null;
    }

    private Action Note(string what, bool mayBeRelieved = false) => () =>
    {
        if (mayBeRelieved)
        {
            _thread.MayBeRelieved();
        }

        _threads[what] = Environment.CurrentManagedThreadId;
    };

    private Task Seen(string what) => Eventually.True(() => _threads.ContainsKey(what));

    [Test]
    public void TryLeave_OnAThreadOfThePool_IsFalse() => Assert.That(MessageThread.TryLeave(new Work(static () => { })), Is.False);

    [Test]
    public async Task TryLeave_WhileAMessageIsHandled_RunsAfterItOnTheSameThread()
    {
        bool ranWithin = true;
        bool[] left = new bool[2];
        var work = new Work(Note("work"));
        _messages.Add(() =>
        {
            Note("message")();
            left = [MessageThread.TryLeave(work), MessageThread.TryLeave(new Work(Note("second")))];
            ranWithin = _threads.ContainsKey("work");
        });
        await Seen("work");
        _messages.Add(Note("next"));
        await Seen("next");
        Assert.That(ranWithin, Is.False);
        Assert.That(left, Is.EqualTo(new[] { true, false }), "one piece of work at a time");
        Assert.That(_threads.Values.Distinct().Count(), Is.EqualTo(1));
        Assert.That(_threads, Does.Not.ContainKey("second"));
    }

    [Test]
    public async Task Run_WorkThatLeavesWork_RunsThatToo()
    {
        _messages.Add(() => MessageThread.TryLeave(new Work(() => MessageThread.TryLeave(new Work(Note("inner"))))));
        await Seen("inner");
    }

    [Test]
    public async Task Run_WorkThatHangs_IsRelievedAndEndsWhenItComesBack()
    {
        using var hangs = new ManualResetEventSlim();
        _messages.Add(() => MessageThread.TryLeave(new Work(() =>
        {
            Note("hung")();
            hangs.Wait(Limit);
            Note("left on a relieved thread " + MessageThread.TryLeave(new Work(static () => { })))();
        })));
        await Seen("hung");
        _messages.Add(Note("next"));
        await RelieveAsync("next");
        hangs.Set();
        await Seen("left on a relieved thread False");
        for (int i = 0; i < 20; i++)
        {
            _messages.Add(Note("later " + i));
        }

        await Seen("later 19");
        int relieved = _threads["hung"];
        Assert.That(_threads["next"], Is.Not.EqualTo(relieved));
        Assert.That(Enumerable.Range(0, 20).Select(i => _threads["later " + i]).Distinct(), Is.EqualTo(new[] { _threads["next"] }), "one thread takes messages");
    }

    [Test]
    public async Task Run_HandlerThatHangsBeforeItsWork_LosesNoWork()
    {
        using var hangs = new ManualResetEventSlim();
        _messages.Add(() =>
        {
            _thread.MayBeRelieved();
            MessageThread.TryLeave(new Work(Note("work")));
            Note("hung")();
            hangs.Wait(Limit);
        });
        await Seen("hung");
        await RelieveAsync("work");
        Assert.That(_threads["work"], Is.Not.EqualTo(_threads["hung"]));
        hangs.Set();
    }

    [Test]
    public async Task Run_HandlerThatMayNotBeRelieved_HoldsTheNextMessageBack()
    {
        using var hangs = new ManualResetEventSlim();
        _messages.Add(Note("first", mayBeRelieved: true));
        _messages.Add(() =>
        {
            Note("hung")();
            hangs.Wait(Limit);
        });
        _messages.Add(Note("next"));
        await Seen("hung");
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(MessageThread.Patience);
        }

        Assert.That(_threads, Does.Not.ContainKey("next"));
        hangs.Set();
        await Seen("next");
        Assert.That(_threads["next"], Is.EqualTo(_threads["hung"]));
    }

    [Test]
    public async Task Run_AfterAnIdleTime_IsWatchedAgain()
    {
        for (int round = 0; round < 3; round++)
        {
            _messages.Add(Note("quick " + round, mayBeRelieved: true));
            await Seen("quick " + round);
            for (int i = 0; i < 10; i++)
            {
                _time.Advance(MessageThread.Patience);
            }

            using var hangs = new ManualResetEventSlim();
            string hung = "hung " + round;
            _messages.Add(() =>
            {
                Note(hung, mayBeRelieved: true)();
                hangs.Wait(Limit);
            });
            await Seen(hung);
            _messages.Add(Note("next " + round));
            await RelieveAsync("next " + round);
            hangs.Set();
        }
    }

    [Test]
    public async Task Run_HandlerThatMayNotBeRelievedAndHangsAfterItLeftWork_HasItDoneElsewhere()
    {
        // The record that it left holds up those of everybody, and what the handler waits for may be one of them.
        using var done = new ManualResetEventSlim();
        _messages.Add(() =>
        {
            MessageThread.TryLeave(new Work(() =>
            {
                Note("work")();
                done.Set();
            }));
            Note("hung")();
            Note("came back " + done.Wait(Limit))();
        });
        _messages.Add(Note("next"));
        await Seen("hung");
        await RelieveAsync("work");
        await Seen("next");
        Assert.That(_threads, Does.ContainKey("came back True"));
        Assert.That(_threads["work"], Is.Not.EqualTo(_threads["hung"]));
        Assert.That(_threads["next"], Is.EqualTo(_threads["hung"]), "in its place all the same");
    }

    [Test]
    public async Task Run_HandlerThatHangsAgainAfterAnIdleTime_HasItsWorkDoneElsewhere()
    {
        for (int round = 0; round < 3; round++)
        {
            using var done = new ManualResetEventSlim();
            string hung = "hung " + round;
            string work = "work " + round;
            _messages.Add(() =>
            {
                MessageThread.TryLeave(new Work(() =>
                {
                    Note(work)();
                    done.Set();
                }));
                Note(hung)();
                done.Wait(Limit);
            });
            await Seen(hung);
            await RelieveAsync(work);
            Assert.That(_threads[work], Is.Not.EqualTo(_threads[hung]));
            for (int i = 0; i < 10; i++)
            {
                _time.Advance(MessageThread.Patience);
            }
        }
    }

    [Test]
    public async Task Dispose_WhileAHandlerHangsAfterItLeftWork_HasItDoneElsewhereAndTakesNoMore()
    {
        using var hangs = new ManualResetEventSlim();
        _messages.Add(() =>
        {
            MessageThread.TryLeave(new Work(Note("work")));
            Note("hung")();
            hangs.Wait(Limit);
            Note("left when it had ended " + MessageThread.TryLeave(new Work(static () => { })))();
        });
        await Seen("hung");
        _thread.Dispose();
        await Seen("work");
        Assert.That(_threads["work"], Is.Not.EqualTo(_threads["hung"]));
        hangs.Set();
        await Seen("left when it had ended False");
    }

    [Test]
    public async Task Run_HandlerOrWorkThatSetsAnAmbientValue_HidesItFromTheNextMessage()
    {
        var user = new AsyncLocal<string?>();
        _messages.Add(() =>
        {
            user.Value = "of the message";
            MessageThread.TryLeave(new Work(() =>
            {
                Note("work saw " + user.Value)();
                user.Value = "of the work";
            }));
        });
        _messages.Add(() => Note("next saw " + user.Value)());
        await Eventually.True(() => _threads.Keys.Any(static what => what.StartsWith("next", StringComparison.Ordinal)));
        Assert.That(_threads.Keys, Is.EquivalentTo(new[] { "work saw ", "next saw " }));
    }

    [Test]
    public async Task Run_Message_ComesOnANamedThreadThatKeepsNoProcessAlive()
    {
        _messages.Add(() => Note($"{Thread.CurrentThread.Name} {Thread.CurrentThread.IsBackground}")());
        await Seen("test True");
    }

    [Test]
    public async Task Watch_WorkInOneRound_StartsTheTimerOnceAndStopsItWhenNothingCame()
    {
        for (int i = 0; i < 3; i++)
        {
            string work = "work " + i;
            _messages.Add(() => MessageThread.TryLeave(new Work(Note(work))));
            await Seen(work);
        }

        _messages.Add(Note("rest"));
        await Seen("rest");
        Assert.That(_time.Changes, Is.EqualTo(new[] { MessageThread.Patience }), "started anew with each message it would never come round");
        for (int i = 0; i < 5; i++)
        {
            _time.Advance(MessageThread.Patience);
        }

        Assert.That(_time.Changes, Is.EqualTo(new[] { MessageThread.Patience, Timeout.InfiniteTimeSpan }));
    }

    [Test]
    public async Task Run_NextMessageOfTheSameThread_HasItsOwnPatience()
    {
        using var first = new ManualResetEventSlim();
        using var second = new ManualResetEventSlim();
        _messages.Add(() =>
        {
            Note("first", mayBeRelieved: true)();
            first.Wait(Limit);
        });
        _messages.Add(() =>
        {
            Note("second", mayBeRelieved: true)();
            second.Wait(Limit);
            Note("kept its thread " + MessageThread.TryLeave(new Work(static () => { })))();
        });
        await Seen("first");
        _time.Advance(MessageThread.Patience);
        first.Set();
        await Seen("second");
        _time.Advance(MessageThread.Patience);
        second.Set();
        await Eventually.True(() => _threads.Keys.Any(static what => what.StartsWith("kept", StringComparison.Ordinal)));
        Assert.That(_threads, Does.ContainKey("kept its thread True"), "what was seen was another message");
    }

    [Test]
    public void Dispose_Watch_Ends()
    {
        _thread.Dispose();
        Assert.That(_time.IsDisposed, Is.True);
    }

    /// <summary>Lets time pass until what is expected has happened.</summary>
    private async Task RelieveAsync(string what) => await Eventually.True(() =>
    {
        _time.Advance(MessageThread.Patience);
        return _threads.ContainsKey(what);
    });

    /// <summary>Keeps what became of the one timer.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        public ConcurrentQueue<TimeSpan> Changes { get; } = [];

        public bool IsDisposed { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Watched(this, base.CreateTimer(callback, state, dueTime, period));

        private sealed class Watched(WatchedTime time, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                time.Changes.Enqueue(period);
                return inner.Change(dueTime, period);
            }

            public void Dispose()
            {
                time.IsDisposed = true;
                inner.Dispose();
            }

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    private sealed class Work(Action work) : IThreadPoolWorkItem
    {
        public void Execute() => work();
    }
}
