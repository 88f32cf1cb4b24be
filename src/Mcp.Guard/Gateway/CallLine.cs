using System.Text.Json;
using System.Text.Unicode;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>A <c>tools/call</c> of a client as its line says it, read strictly and once: what is judged of it is what is sent.</summary>
/// <param name="Id">The request's id.</param>
/// <param name="Parameters">The value of <c>params</c>, detached from the line.</param>
internal readonly record struct CallLine(RequestId Id, JsonElement Parameters)
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = MessageLimits.MaxDepth + 1 };

    /// <summary>
    /// Reads a line that is nothing but a request for a tool. False for every other message, and for one that could be read in two ways (a member twice, one that
    /// is not known, text that is no Unicode): the reader of the SDK and its handlers say what becomes of those.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out CallLine call)
    {
        call = default;
        if (line.IndexOf("\"tools/call\""u8) < 0 || !Utf8.IsValid(line))
        {
            return false;
        }

        try
        {
            return TryReadMembers(line, out call);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool TryReadMembers(ReadOnlySpan<byte> line, out CallLine call)
    {
        call = default;
        var reader = new Utf8JsonReader(line, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        bool isVersion2 = false;
        bool isCall = false;
        RequestId id = default;
        ReadOnlySpan<byte> parameters = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("jsonrpc"u8))
            {
                if (isVersion2 || !reader.Read() || reader.TokenType != JsonTokenType.String || !reader.ValueTextEquals("2.0"u8))
                {
                    return false;
                }

                isVersion2 = true;
            }
            else if (reader.ValueTextEquals("method"u8))
            {
                if (isCall || !reader.Read() || reader.TokenType != JsonTokenType.String || !reader.ValueTextEquals("tools/call"u8))
                {
                    return false;
                }

                isCall = true;
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                if (id.Id is not null || !reader.Read())
                {
                    return false;
                }

                if (reader.TokenType == JsonTokenType.String)
                {
                    id = new RequestId(reader.GetString()!);
                }
                else if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number))
                {
                    id = new RequestId(number);
                }
                else
                {
                    return false;
                }
            }
            else if (reader.ValueTextEquals("params"u8))
            {
                if (!parameters.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                {
                    return false;
                }

                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                parameters = line[start..(int)reader.BytesConsumed];
            }
            else
            {
                return false;
            }
        }

        if (reader.TokenType != JsonTokenType.EndObject || reader.Read() || !isVersion2 || !isCall || id.Id is null
            || !MessageSnapshot.TryParse(parameters, MessageLimits.MaxRequestBytes, out JsonElement value, out _))
        {
            return false;
        }

        call = new CallLine(id, value);
        return true;
    }
}
