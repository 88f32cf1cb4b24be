using System.IO.Pipes;
using System.Text;
using Mcp.Guard.Isolation.Launch;

namespace Mcp.Guard.Tests.Isolation;

/// <summary>The reading of a server's output by a thread of its own: whole, in order, and never longer than its pipe is open.</summary>
[TestFixture]
[Platform("Linux")]
internal sealed class PipeThreadStreamTests
{
    [Test]
    public async Task ReadAsync_PiecesOfAllSizes_GivesEveryByteInOrder()
    {
        (AnonymousPipeClientStream writer, PipeThreadStream reader) = Open();
        var random = new Random(20261124);
        byte[] sent = new byte[700_000];
        random.NextBytes(sent);
        Task writing = Task.Run(async () =>
        {
            var sizes = new Random(1);
            for (int at = 0; at < sent.Length;)
            {
                int count = Math.Min(sizes.Next(1, 90_000), sent.Length - at);
                await writer.WriteAsync(sent.AsMemory(at, count));
                at += count;
            }

            await writer.DisposeAsync();
        });
        var received = new MemoryStream();
        byte[] buffer = new byte[100_000];
        for (int count; (count = await reader.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)))) > 0;)
        {
            received.Write(buffer, 0, count);
        }

        await writing;
        Assert.That(received.ToArray(), Is.EqualTo(sent));
        Assert.That(await reader.ReadAsync(buffer), Is.Zero, "the end stays the end");
        await reader.DisposeAsync();
    }

    [Test]
    public async Task Dispose_BeforeTheThreadBegan_EndsTheReadAndNotTheProcess()
    {
        // A thread begins some time after it was started; what it throws before it is ready to catch would end the process.
        for (int i = 0; i < 300; i++)
        {
            (AnonymousPipeClientStream writer, PipeThreadStream reader) = Open();
            await reader.DisposeAsync();
            Assert.That(await reader.ReadAsync(new byte[16]), Is.Zero);
            await writer.DisposeAsync();
        }
    }

    [Test]
    public async Task ReadAsync_GivenUp_WhatComesLaterIsForTheNextRead()
    {
        (AnonymousPipeClientStream writer, PipeThreadStream reader) = Open();
        using var cancel = new CancellationTokenSource();
        byte[] given = new byte[16];
        Task<int> waiting = reader.ReadAsync(given, cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        await writer.WriteAsync("later"u8.ToArray());
        byte[] next = new byte[3];
        Assert.That(await reader.ReadAsync(next), Is.EqualTo(3));
        byte[] rest = new byte[16];
        Assert.That(await reader.ReadAsync(rest), Is.EqualTo(2));
        Assert.Multiple(() =>
        {
            Assert.That(Encoding.ASCII.GetString(next) + Encoding.ASCII.GetString(rest, 0, 2), Is.EqualTo("later"));
            Assert.That(given, Is.All.Zero, "what was given up is not written to: its owner may have lent it on");
        });
        await writer.DisposeAsync();
        await reader.DisposeAsync();
    }

    /// <summary>A descendant of the server may hold the pipe open for as long as it likes.</summary>
    [Test]
    public async Task DisposeAsync_WriterStillOpen_EndsTheReadAtOnce()
    {
        (AnonymousPipeClientStream writer, PipeThreadStream reader) = Open();
        Task<int> waiting = reader.ReadAsync(new byte[16]).AsTask();
        await reader.DisposeAsync();
        Assert.That(await waiting.WaitAsync(TimeSpan.FromSeconds(30)), Is.Zero);
        Assert.That(await reader.ReadAsync(new byte[16]), Is.Zero);

        // The thread has let the pipe go: nobody reads it any more.
        await Eventually.True(() => IsBroken(() => writer.Write("x"u8)));
        await writer.DisposeAsync();
    }

    [Test]
    public async Task ReadAsync_TokenCancelledBefore_TakesNothing()
    {
        (AnonymousPipeClientStream writer, PipeThreadStream reader) = Open();
        await writer.WriteAsync("x"u8.ToArray());
        Assert.That(async () => await reader.ReadAsync(new byte[1], new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        byte[] read = new byte[4];
        Assert.That(reader.Read(read.AsSpan()), Is.EqualTo(1));
        await reader.DisposeAsync();
        await writer.DisposeAsync();
    }

    private static (AnonymousPipeClientStream Writer, PipeThreadStream Reader) Open()
    {
        (LinuxDescriptor read, LinuxDescriptor write) = LinuxDescriptor.Pipe();
        return (
            new AnonymousPipeClientStream(PipeDirection.Out, write.IntoPipeHandle()),
            new PipeThreadStream(new AnonymousPipeClientStream(PipeDirection.In, read.IntoPipeHandle())));
    }

    private static bool IsBroken(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
