using System.Buffers;
using System.Collections.Frozen;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>Tells values that stand for a secret but are none: words of types, templates, masks, and what a redactor wrote before.</summary>
internal static class Placeholders
{
    /// <summary>A value shorter than this is no secret worth the loss of the text.</summary>
    public const int MinLength = 4;

    private static readonly FrozenSet<string> Words = FrozenSet.ToFrozenSet(
    [
        "null", "none", "nil", "true", "false", "undefined", "string", "str", "number", "integer", "int", "bool", "boolean", "object", "array", "any",
        "text", "varchar", "char", "bytes", "optional", "required", "unknown", "default", "empty", "password", "passwd", "secret", "token", "apikey", "api_key", "api-key",
        "redacted", "masked", "hidden", "removed", "changeme", "change_me", "change-me", "placeholder", "todo", "n/a", "bearer", "basic", "void", "self", "this", "await", "async", "function", "lambda", "typeof", "return", "yield",
    ], StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> WordLookup = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Shell variables are written in capitals; "$ecret" is a password.</summary>
    private static readonly SearchValues<char> VariableName = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    private static readonly string[] Starts =
        ["[redacted", "${", "$(", "{{", "#{", "@{", "%(", "<%", "process.env", "os.environ", "env.", "secrets.", "config.", "settings.", "self.", "this.", "options.", "args.", "var.", "local.", "your-", "your_", "your ", "<your", "insert-", "enter-", "example-", "my-secret-"];

    public static bool Is(ReadOnlySpan<char> value)
    {
        if (value.Length < MinLength || WordLookup.Contains(value) || SensitiveNames.IsName(value) || !value.ContainsAnyExcept(value[0]))
        {
            return true;
        }

        foreach (string start in Starts)
        {
            // The first character spares the comparison nearly always.
            if (((value[0] ^ start[0]) & ~0x20) == 0 && value.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return (value[0] == '<' && value[^1] == '>') || (value[0] == '{' && value[^1] == '}') || (value[0] == '%' && value[^1] == '%')
            || (value[0] == '$' && !value[1..].ContainsAnyExcept(VariableName)) || value.StartsWith("****", StringComparison.Ordinal)
            || value.StartsWith("••••", StringComparison.Ordinal);
    }
}
