using System.Buffers;
using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>Copies of JSON objects with one member changed.</summary>
internal static class JsonMembers
{
    /// <summary>The object with another value of one member, at its place.</summary>
    /// <param name="value">An object.</param>
    /// <param name="member">The member; where it is absent nothing changes.</param>
    /// <param name="write">Writes the member with its name, or nothing.</param>
    public static JsonElement Replace(JsonElement value, ReadOnlySpan<byte> member, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty property in value.EnumerateObject())
            {
                if (property.NameEquals(member))
                {
                    write(writer);
                }
                else
                {
                    property.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>The object without one member.</summary>
    public static JsonElement Without(JsonElement value, ReadOnlySpan<byte> member) => Replace(value, member, static _ => { });
}
