using System.Text;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonNumberTests
{
    [TestCase("12", "12")]
    [TestCase("-0", "0")]
    [TestCase("-1234567890123450e5", "-123456789012345000000")]
    [TestCase("1e20", "100000000000000000000")]
    [TestCase("-1.2345678901234567e-6", "-0.0000012345678901234567")]
    [TestCase("1e-290", "1e-290")]
    [TestCase("1e290", "1e+290")]
    [TestCase("12345678901234567890123456789012345678901234567890", "12345678901234567890123456789012345678901234567890")]
    public void Write_NoMoreRoomThanAskedFor_Suffices(string literal, string expected)
    {
        byte[] room = new byte[Math.Max(literal.Length, JsonNumber.MaxFormattedLength)];
        Assert.That(Encoding.UTF8.GetString(room, 0, JsonNumber.Write(Encoding.UTF8.GetBytes(literal), room)), Is.EqualTo(expected));
    }
}
