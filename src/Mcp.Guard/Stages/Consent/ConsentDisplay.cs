using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// Turns JSON values and texts into what a person can judge. Strings stand in quotes and everything the guard says about them outside,
/// so that no value can imitate a remark of the guard; what is not plain is escaped; runs of blanks are counted; long values show
/// their length, their head and their tail; each argument gets its share of the room, so that none can push another out of sight.
/// </summary>
internal static class ConsentDisplay
{
    /// <summary>Room for the arguments of a call, in characters.</summary>
    public const int ArgumentsBudget = 8_000;

    // Eight blanks in a row still read as what they are; a longer run is named and counted.
    private const int LongestPlainRun = 8;

    // A jumble of blanks longer than this is counted as a whole, which hides its pattern.
    private const int LongestBlankStretch = 64;

    // Two marks on one letter occur in living languages; more are drawn over the text around.
    private const int MostMarks = 2;
    private const int NameBudget = 160;
    private const int SmallestShare = 60;
    private const int MaxDepth = 12;
    private const int LengthShownFrom = 80;

    private static readonly JsonLimits Admitted = JsonLimits.Message;

    /// <summary>The arguments of a call, one member a line.</summary>
    public static DisplayText Arguments(JsonElement arguments) =>
        arguments.ValueKind == JsonValueKind.Undefined ? new("(no arguments)", false) : Value(arguments, ArgumentsBudget);

    /// <summary>Any JSON value.</summary>
    /// <param name="value">The value; text that the guard would refuse is not shown at all.</param>
    /// <param name="budget">Characters to fill, roughly: names and remarks come on top.</param>
    public static DisplayText Value(JsonElement value, int budget)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return new("(nothing)", false);
        }

        JsonFault fault = JsonAdmission.Check(JsonMarshal.GetRawUtf8Value(value), Admitted);
        if (fault != JsonFault.None)
        {
            return new($"(not shown: {JsonAdmission.Describe(fault)})", true);
        }

        var text = new StringBuilder();
        bool cut = false;
        Append(text, value, Math.Max(budget, SmallestShare), depth: 0, ref cut);
        return new(text.ToString(), cut);
    }

    /// <summary>A name on one line: not quoted, everything that is not plain escaped, a backslash doubled.</summary>
    public static string Name(string name)
    {
        var text = new StringBuilder(name.Length);
        bool cut = false;
        AppendPlain(text, name, NameBudget, quoted: false, ref cut);
        return text.ToString();
    }

    /// <summary>A text of the server or the model in quotes on one line, with its length where it is long.</summary>
    public static DisplayText Quote(string value, int budget)
    {
        var text = new StringBuilder(Math.Min(value.Length, budget) + 16);
        bool cut = false;
        AppendString(text, value, budget, ref cut);
        return new(text.ToString(), cut);
    }

    private static void Append(StringBuilder text, JsonElement value, int budget, int depth, ref bool cut)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
            case JsonValueKind.Array:
                AppendContainer(text, value, budget, depth, ref cut);
                break;
            case JsonValueKind.String:
                AppendString(text, JsonText.GetString(value), budget, ref cut);
                break;
            default:
                // Numbers and literals are ASCII; a long number is cut like a string.
                string raw = value.GetRawText();
                AppendPlain(text, raw, budget, quoted: false, ref cut);
                break;
        }
    }

    private static void AppendContainer(StringBuilder text, JsonElement value, int budget, int depth, ref bool cut)
    {
        bool isObject = value.ValueKind == JsonValueKind.Object;
        int count = isObject ? value.GetPropertyCount() : value.GetArrayLength();
        if (count == 0)
        {
            text.Append(isObject ? "{}" : "[]");
            return;
        }

        if (depth == MaxDepth || budget < SmallestShare)
        {
            cut = true;
            text.Append(CultureInfo.InvariantCulture, $"({(isObject ? "object" : "list")} with {count:N0} values, not shown)");
            return;
        }

        // Where not all fit, the first three quarters and the last quarter of the room are shown, like a long text.
        int shown = Math.Min(count, Math.Max(4, budget / SmallestShare));
        int tail = shown == count ? 0 : Math.Max(1, shown / 4);
        int head = shown - tail;
        text.Append(isObject ? '{' : '[');
        int index = 0;
        int left = shown;
        int spentFrom = text.Length;
        if (isObject)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                if (Skip(text, index++, head, tail, count, depth, ref cut))
                {
                    continue;
                }

                StartLine(text, depth + 1);
                text.Append('"');
                AppendPlain(text, member.Name, NameBudget, quoted: true, ref cut);
                text.Append("\": ");
                Append(text, member.Value, Share(budget, text.Length - spentFrom, left--), depth + 1, ref cut);
            }
        }
        else
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                if (Skip(text, index++, head, tail, count, depth, ref cut))
                {
                    continue;
                }

                StartLine(text, depth + 1);
                Append(text, item, Share(budget, text.Length - spentFrom, left--), depth + 1, ref cut);
            }
        }

        StartLine(text, depth);
        text.Append(isObject ? '}' : ']');
    }

    /// <summary>What one of the members still to come may use: an equal part of what is left.</summary>
    private static int Share(int budget, int spent, int left) => Math.Max(SmallestShare / 2, (budget - spent) / Math.Max(1, left));

    private static bool Skip(StringBuilder text, int index, int head, int tail, int count, int depth, ref bool cut)
    {
        if (index < head || index >= count - tail)
        {
            return false;
        }

        if (index == head)
        {
            cut = true;
            StartLine(text, depth + 1);
            text.Append(CultureInfo.InvariantCulture, $"({count - head - tail:N0} of {count:N0} values not shown)");
        }

        return true;
    }

    private static void StartLine(StringBuilder text, int depth) => text.Append('\n').Append(' ', 2 * depth);

    private static void AppendString(StringBuilder text, string value, int budget, ref bool cut)
    {
        text.Append('"');
        AppendPlain(text, value, budget, quoted: true, ref cut);
        text.Append('"');
        if (value.Length >= LengthShownFrom)
        {
            text.Append(CultureInfo.InvariantCulture, $" ({value.Length:N0} characters)");
        }
    }

    /// <summary>Writes a text on one line. Remarks close the quotes before them and open them again after.</summary>
    private static void AppendPlain(StringBuilder text, string value, int budget, bool quoted, ref bool cut)
    {
        // A rough measure is enough to find what can be shown whole; escapes may take six characters for one.
        int length = MeasureShown(value, budget);
        if (length <= budget)
        {
            AppendPart(text, value, quoted, ref cut);
            return;
        }

        cut = true;
        int headEnd = TakeHead(value, budget * 3 / 4);
        int tailStart = Math.Max(headEnd, TakeTail(value, budget / 4));
        AppendPart(text, value.AsSpan(0, headEnd), quoted, ref cut);
        AppendRemark(text, quoted, string.Create(CultureInfo.InvariantCulture, $"{tailStart - headEnd:N0} characters not shown"));
        AppendPart(text, value.AsSpan(tailStart), quoted, ref cut);
    }

    private static void AppendPart(StringBuilder text, ReadOnlySpan<char> part, bool quoted, ref bool cut)
    {
        int marks = 0;
        bool atStart = true;
        while (!part.IsEmpty)
        {
            if (DisplayCharacter.IsBlank(part[0]))
            {
                int run = BlankRun(part, out bool uniform);
                bool stretch = run > LongestBlankStretch && !uniform;
                if (!stretch)
                {
                    run = UniformRun(part);
                }

                if (stretch || run > LongestPlainRun)
                {
                    cut |= stretch;
                    AppendRemark(text, quoted, stretch
                        ? string.Create(CultureInfo.InvariantCulture, $"{run:N0} blanks and line breaks")
                        : string.Create(CultureInfo.InvariantCulture, $"{run:N0} {DisplayCharacter.BlankName(part[0])}"));
                    part = part[run..];
                    marks = 0;
                    atStart = true;
                    continue;
                }
            }

            bool valid = Rune.DecodeFromUtf16(part, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done;
            bool mark = valid && DisplayCharacter.IsMark(rune);
            marks = mark ? marks + 1 : 0;
            if (!valid)
            {
                DisplayCharacter.AppendEscaped(text, part[0]);
            }
            else if (!DisplayCharacter.IsPlain(rune) || (mark && (atStart || marks > MostMarks)))
            {
                DisplayCharacter.AppendEscaped(text, rune.Value);
            }
            else if (rune.Value == '\\' || (quoted && rune.Value == '"'))
            {
                text.Append('\\').Append((char)rune.Value);
            }
            else
            {
                text.Append(part[..consumed]);
            }

            atStart = false;
            part = part[consumed..];
        }
    }

    private static void AppendRemark(StringBuilder text, bool quoted, string remark)
    {
        if (quoted)
        {
            text.Append("\" [").Append(remark).Append("] \"");
        }
        else
        {
            text.Append(" [").Append(remark).Append("] ");
        }
    }

    /// <summary>Characters that a text takes on the screen, counted until it is clear that they exceed <paramref name="enough"/>.</summary>
    private static int MeasureShown(ReadOnlySpan<char> value, int enough)
    {
        int shown = 0;
        while (!value.IsEmpty && shown <= enough)
        {
            shown += Step(value, out int consumed);
            value = value[consumed..];
        }

        return shown;
    }

    private static int TakeHead(ReadOnlySpan<char> value, int budget)
    {
        int end = 0;
        int shown = 0;
        while (end < value.Length)
        {
            shown += Step(value[end..], out int consumed);
            if (shown > budget)
            {
                break;
            }

            end += consumed;
        }

        return end;
    }

    private static int TakeTail(ReadOnlySpan<char> value, int budget)
    {
        int start = value.Length;
        int shown = 0;
        while (start > 0)
        {
            int from = start >= 2 && char.IsSurrogatePair(value[start - 2], value[start - 1]) ? start - 2 : start - 1;
            shown += Width(value[from..start]);
            if (shown > budget)
            {
                break;
            }

            start = from;
        }

        return start;
    }

    /// <summary>The next thing that is shown as one: a collapsed run, or one character.</summary>
    private static int Step(ReadOnlySpan<char> value, out int consumed)
    {
        if (DisplayCharacter.IsBlank(value[0]))
        {
            int run = BlankRun(value, out bool uniform);
            if (run > LongestBlankStretch && !uniform)
            {
                consumed = run;
                return 40;
            }

            run = UniformRun(value);
            if (run > LongestPlainRun)
            {
                consumed = run;
                return 30;
            }
        }

        Rune.DecodeFromUtf16(value, out _, out consumed);
        return Width(value[..consumed]);
    }

    private static int Width(ReadOnlySpan<char> character) =>
        Rune.DecodeFromUtf16(character, out Rune rune, out _) == System.Buffers.OperationStatus.Done && DisplayCharacter.IsPlain(rune) && !DisplayCharacter.IsMark(rune)
            ? character.Length
            : 9;

    private static int UniformRun(ReadOnlySpan<char> value)
    {
        int end = value.IndexOfAnyExcept(value[0]);
        return end < 0 ? value.Length : end;
    }

    private static int BlankRun(ReadOnlySpan<char> value, out bool uniform)
    {
        int end = 1;
        uniform = true;
        while (end < value.Length && DisplayCharacter.IsBlank(value[end]))
        {
            uniform &= value[end] == value[0];
            end++;
        }

        return end;
    }
}
