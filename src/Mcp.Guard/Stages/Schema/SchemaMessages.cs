using System.Text;

namespace Mcp.Guard.Stages.Schema;

/// <summary>What the model may read about invalid arguments: where and what is expected, never a value and never a rule.</summary>
internal static class SchemaMessages
{
    private const int MaxErrors = 5;
    private const int MaxLocation = 120;
    private const int MaxMessage = 160;

    public static string ForModel(IReadOnlyList<SchemaError> errors)
    {
        var text = new StringBuilder("The arguments are not valid for this tool. Correct:");
        int shown = Math.Min(errors.Count, MaxErrors);
        for (int i = 0; i < shown; i++)
        {
            text.Append(i == 0 ? " " : "; ");
            AppendPlain(text, errors[i].InstanceLocation.Length == 0 ? "(arguments)" : errors[i].InstanceLocation, MaxLocation);
            text.Append(": ");
            AppendPlain(text, errors[i].Message, MaxMessage);
        }

        return text.Append('.').ToString();
    }

    /// <summary>Locations hold property names that the schema's author, a server, chose: only plain characters of bounded length go on.</summary>
    private static void AppendPlain(StringBuilder text, string value, int limit)
    {
        foreach (char c in value.AsSpan(0, Math.Min(value.Length, limit)))
        {
            text.Append(c is >= ' ' and <= '~' ? c : '?');
        }
    }
}
