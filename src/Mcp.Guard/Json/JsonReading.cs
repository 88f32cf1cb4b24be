using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Json;

/// <summary>
/// The strict reading of one text, for all who judge it: the bytes and where each value lies in them. Nobody after it reads the text again, so nobody can
/// read it otherwise. It owns its memory, never changes, and may be read by any thread.
/// </summary>
internal sealed class JsonReading
{
    /// <summary>What is read: no more than any judge of a request accepts, so that none of them has to count again.</summary>
    public static readonly JsonTextLimits Limits = new(MessageLimits.MaxRequestBytes, MessageLimits.MaxDepth, 100_000);

    private readonly byte[] _text;
    private readonly byte[] _decoded;
    private readonly JsonToken[] _tokens;

    private JsonReading(ReadOnlySpan<byte> text, Stages.Schema.JsonSchema.JsonTape tape)
    {
        _text = text.ToArray();
        _decoded = tape.Decoded.AsSpan(0, tape.DecodedCount).ToArray();
        _tokens = tape.Tokens.AsSpan(0, tape.Count).ToArray();
    }

    public ReadOnlySpan<byte> Text => _text;

    /// <summary>The same for what keeps it.</summary>
    public ReadOnlyMemory<byte> Memory => _text;

    /// <summary>The values; the first token is the whole text's.</summary>
    public JsonView View => new(_text, _decoded, _tokens);

    /// <summary>Reads a text. A fault that <see cref="IsLimit"/> says nothing against the text itself.</summary>
    public static JsonTextFault TryRead(ReadOnlySpan<byte> text, out JsonReading? reading)
    {
        ValidationWorkspace workspace = ValidationWorkspace.Take();
        try
        {
            JsonTextFault fault = StrictJsonParser.Parse(text, Limits, workspace.Tape);
            reading = fault == JsonTextFault.None ? new(text, workspace.Tape) : null;
            return fault;
        }
        finally
        {
            workspace.Return();
        }
    }

    /// <summary>True where the text is only longer than what is read here.</summary>
    public static bool IsLimit(JsonTextFault fault) => fault is JsonTextFault.TooLarge or JsonTextFault.TooManyTokens or JsonTextFault.NumberTooLong;
}
