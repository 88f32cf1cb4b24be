namespace Mcp.Guard.Json;

/// <summary>
/// Judges whether a JSON text has one meaning for every parser: valid UTF-8, strict RFC 8259, no name twice, no lone surrogate, bounded.
/// What passes here can be shown to a person and sent to a server with nobody reading it differently.
/// </summary>
internal static class JsonAdmission
{
    /// <summary>Judges a text; only <see cref="JsonFault.None"/> admits it. Never throws.</summary>
    public static JsonFault Check(ReadOnlySpan<byte> json, in JsonLimits limits)
    {
        var tape = new JsonTape(stackalloc JsonTapeNode[JsonTape.StackNodes], stackalloc int[JsonTape.StackOrder], stackalloc byte[JsonTape.StackScratch]);
        try
        {
            return tape.Read(json, limits);
        }
        finally
        {
            tape.Dispose();
        }
    }

    /// <summary>What a refusal says in the audit and to the host; it quotes nothing of the text.</summary>
    public static string Describe(JsonFault fault) => fault switch
    {
        JsonFault.None => "the JSON text is admitted",
        JsonFault.TooLarge => "the JSON text has too many bytes or values",
        JsonFault.NotUtf8 => "the JSON text is not valid UTF-8",
        JsonFault.Malformed => "the text is not strict JSON (RFC 8259)",
        JsonFault.TooDeep => "the JSON text is nested too deep",
        JsonFault.DuplicateName => "an object holds one name twice",
        JsonFault.LoneSurrogate => "a string holds a surrogate without its partner",
        _ => "the JSON text was not judged",
    };
}
