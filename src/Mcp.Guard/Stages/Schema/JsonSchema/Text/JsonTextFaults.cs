namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Words for the faults of a text.</summary>
internal static class JsonTextFaults
{
    public static string Describe(JsonTextFault fault) => fault switch
    {
        JsonTextFault.None => "no fault",
        JsonTextFault.Syntax => "not JSON",
        JsonTextFault.Encoding => "not UTF-8",
        JsonTextFault.LoneSurrogate => "a surrogate without its other half",
        JsonTextFault.DuplicateName => "a member name used twice",
        JsonTextFault.TooLarge => "too many bytes",
        JsonTextFault.TooDeep => "nested too deep",
        JsonTextFault.TooManyTokens => "too many values",
        JsonTextFault.NumberTooLong => "a number with too many digits or too large an exponent",
        _ => "not read",
    };
}
