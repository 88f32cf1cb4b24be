using System.Text;
using Mcp.Guard.Hosting;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>One write a message, whatever becomes of the message before it.</summary>
[TestFixture]
internal sealed class LineWriteStreamTests
{
    [Test]
    public async Task Write_GivenUpBeforeTheEndOfItsLine_IsNotPartOfTheNext()
    {
        using var inner = new MemoryStream();
        await using var stream = new LineWriteStream(inner);
        await stream.WriteAsync("given up"u8.ToArray());
        Assert.That(async () => await stream.WriteAsync("\n"u8.ToArray(), new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        await stream.WriteAsync("next"u8.ToArray());
        await stream.WriteAsync("\n"u8.ToArray());
        await stream.FlushAsync();
        Assert.That(Encoding.UTF8.GetString(inner.ToArray()), Is.EqualTo("next\n"));
    }
}
