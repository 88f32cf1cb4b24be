using System.Buffers;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

/// <summary>Arguments may hold secrets, and the pool is shared by the whole process: what is borrowed goes back, and empty.</summary>
[TestFixture]
internal sealed class PooledMemoryTests
{
    private static readonly byte[] Values = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("12", 30))}]");

    private static readonly byte[] Members = Encoding.UTF8.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 30).Select(static i => $"\"n{i}\":1"))}}}");

    private static readonly byte[] EscapedName = Encoding.UTF8.GetBytes($"{{\"\\u0061{new string('x', 100)}\":1}}");

    private static readonly byte[] EscapedString = Encoding.UTF8.GetBytes($"\"\\n{new string('x', 300)}\"");

    private static readonly byte[] LongNumber = Encoding.UTF8.GetBytes(new string('7', 200));

    [Test]
    public void Check_LargeText_GivesMemoryBackEmpty()
    {
        Assert.That(PoolProbe.ComesBackEmpty<JsonTapeNode>(48, 31, static () => JsonAdmission.Check(Values, JsonLimits.Message)), Is.True, "values");
        Assert.That(PoolProbe.ComesBackEmpty<int>(48, 30, static () => JsonAdmission.Check(Members, JsonLimits.Message)), Is.True, "order of members");
        Assert.That(PoolProbe.ComesBackEmpty<byte>(128, 101, static () => JsonAdmission.Check(EscapedName, JsonLimits.Message)), Is.True, "names");
    }

    [Test]
    public void TryHash_LargeText_GivesMemoryBackEmpty() =>
        Assert.That(PoolProbe.ComesBackEmpty<JsonTapeNode>(48, 31, static () => CanonicalJson.TryHash(default, Values, JsonLimits.Message, new byte[CanonicalJson.HashLength])), Is.True);

    [Test]
    public void Hash_ObjectOfManyMembers_GivesMemoryBack()
    {
        JsonReading.TryRead(Members, out JsonReading? reading);
        Assert.That(PoolProbe.ComesBackEmpty<int>(30, 0, () => ArgumentsDigest.Compute(reading!.View, 0)), Is.True);
    }

    [Test]
    public void TryWrite_LargeText_GivesMemoryBackEmpty()
    {
        Assert.That(PoolProbe.ComesBackEmpty<JsonTapeNode>(48, 31, static () => Write(Values)), Is.True, "values");
        Assert.That(PoolProbe.ComesBackEmpty<byte>(302, 301, static () => Write(EscapedString)), Is.True, "a string");
        Assert.That(PoolProbe.ComesBackEmpty<byte>(200, 200, static () => Write(LongNumber)), Is.True, "a number");
    }

    [Test]
    public void Dispose_Characters_GivesMemoryBackEmpty()
    {
        JsonElement text = JsonElement.Parse("\"a secret\"");
        Assert.That(PoolProbe.ComesBackEmpty<char>(8, 8, () => JsonCharacters.Of(text).Dispose()), Is.True);
    }

    [Test]
    public void Add_ListThatGrowsAgain_GivesMemoryBackEmpty()
    {
        Assert.That(PoolProbe.ComesBackEmpty<byte>(16, 16, Fill), Is.True, "the first");
        Assert.That(PoolProbe.ComesBackEmpty<byte>(32, 17, Fill), Is.True, "the second");

        static void Fill()
        {
            var list = new PooledList<byte>(new byte[8]);
            for (byte i = 1; i <= 17; i++)
            {
                list.Add(i);
            }

            list.Dispose();
        }
    }

    private static void Write(byte[] json) => CanonicalJson.TryWrite(json, JsonLimits.Message, new ArrayBufferWriter<byte>());
}
