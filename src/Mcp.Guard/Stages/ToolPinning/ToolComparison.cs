using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>Compares two definitions of a tool, and finds what changed for the person who has to agree.</summary>
internal static class ToolComparison
{
    /// <summary>Most differences that are listed one by one; a last line counts the rest.</summary>
    public const int MaxChanges = 24;

    // Beyond these an object is shown as a whole: the walk recurses once a level, and looks a member up by going through its siblings.
    private const int MaxDepth = 64;
    private const int MaxMembers = 256;
    private const int MaxLocation = 300;
    private const int ValueBudget = 400;

    // What of one value is shown at most, and what of equal text stands around a difference.
    private const int PartBudget = 1_500;
    private const int Around = 60;

    /// <summary>How <paramref name="after"/> stands to <paramref name="before"/>. Two definitions of which one cannot be read are never the same.</summary>
    public static ToolRelation Relate(JsonElement before, JsonElement after)
    {
        if (ToolFingerprint.TryOfTool(before, out string? old) != JsonFault.None || ToolFingerprint.TryOfTool(after, out string? now) != JsonFault.None)
        {
            return ToolRelation.Reconsent;
        }

        if (ToolFingerprint.Same(old, now))
        {
            return ToolRelation.Same;
        }

        return TryGetName(before, out string? oldName) && TryGetName(after, out string? newName)
            && !string.Equals(oldName, newName, StringComparison.Ordinal)
                ? ToolRelation.NewTool
                : ToolRelation.Reconsent;
    }

    /// <summary>The exact name of a definition that was admitted as JSON; false where it has none.</summary>
    public static bool TryGetName(JsonElement definition, out string? name)
    {
        name = definition.ValueKind == JsonValueKind.Object
            && definition.TryGetProperty("name"u8, out JsonElement value)
            && value.ValueKind == JsonValueKind.String
                ? JsonText.GetString(value)
                : null;
        return name is not null;
    }

    /// <summary>What a person is shown where a tool is not as it was approved.</summary>
    /// <param name="before">The approved definition as JSON text; null where only its fingerprint is known, or there is none.</param>
    /// <param name="after">What is offered.</param>
    public static ToolDifferences Differences(string? before, JsonElement after) => Differences(Parse(before), after);

    /// <summary>The same for two JSON texts.</summary>
    public static ToolDifferences DifferencesOfTexts(string? before, string after) => Differences(Parse(before), Parse(after));

    private static ToolDifferences Differences(JsonElement before, JsonElement after)
    {
        bool isCut = false;
        IReadOnlyList<ToolChange> changes = Changes(before, after, out int omitted, ref isCut);
        return new(changes, omitted, isCut);
    }

    private static JsonElement Parse(string? text)
    {
        if (text is null)
        {
            return default;
        }

        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth + 1 });
        return document.RootElement.Clone();
    }

    /// <summary>What changed, one line each, old and new beside each other, safe to show; empty where the definitions are the same.</summary>
    public static IReadOnlyList<string> Describe(JsonElement before, JsonElement after)
    {
        IReadOnlyList<ToolChange> changes = Changes(before, after, out int omitted);
        var lines = new List<string>(changes.Count + 1);
        foreach (ToolChange change in changes)
        {
            lines.Add(change.ToString());
        }

        if (omitted > 0)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"and {omitted} more differences"));
        }

        return lines;
    }

    /// <summary>The differences, in the order of the old definition and then of the new.</summary>
    /// <param name="before">The definition that was approved.</param>
    /// <param name="after">The definition that is offered.</param>
    /// <param name="omitted">How many more there are than <see cref="MaxChanges"/>.</param>
    public static IReadOnlyList<ToolChange> Changes(JsonElement before, JsonElement after, out int omitted)
    {
        bool isCut = false;
        return Changes(before, after, out omitted, ref isCut);
    }

    private static List<ToolChange> Changes(JsonElement before, JsonElement after, out int omitted, ref bool isCut)
    {
        var changes = new List<ToolChange>();
        int total = 0;
        if (before.ValueKind == JsonValueKind.Undefined)
        {
            Add(string.Empty, default, after, changes, ref total, ref isCut);
        }
        else if (JsonAdmission.Check(RawOf(before), ToolFingerprint.Limits) == JsonFault.None && JsonAdmission.Check(RawOf(after), ToolFingerprint.Limits) == JsonFault.None)
        {
            Compare(before, after, string.Empty, 0, changes, ref total, ref isCut);
        }
        else
        {
            Add(string.Empty, before, after, changes, ref total, ref isCut);
        }

        omitted = total - changes.Count;
        return changes;
    }

    private static void Compare(JsonElement before, JsonElement after, string location, int depth, List<ToolChange> changes, ref int total, ref bool isCut)
    {
        if (SameValue(before, after))
        {
            return;
        }

        if (before.ValueKind != JsonValueKind.Object || after.ValueKind != JsonValueKind.Object
            || depth == MaxDepth || location.Length > MaxLocation
            || before.GetPropertyCount() > MaxMembers || after.GetPropertyCount() > MaxMembers)
        {
            Add(location, before, after, changes, ref total, ref isCut);
            return;
        }

        foreach (JsonProperty old in before.EnumerateObject())
        {
            string inner = Inner(location, old.Name);
            if (after.TryGetProperty(old.Name, out JsonElement now))
            {
                Compare(old.Value, now, inner, depth + 1, changes, ref total, ref isCut);
            }
            else
            {
                Add(inner, old.Value, default, changes, ref total, ref isCut);
            }
        }

        foreach (JsonProperty now in after.EnumerateObject())
        {
            if (!before.TryGetProperty(now.Name, out _))
            {
                Add(Inner(location, now.Name), default, now.Value, changes, ref total, ref isCut);
            }
        }
    }

    private static void Add(string location, JsonElement before, JsonElement after, List<ToolChange> changes, ref int total, ref bool isCut)
    {
        total++;
        if (changes.Count < MaxChanges)
        {
            changes.Add(ChangeOf(location, before, after, ref isCut));
        }
    }

    private static ToolChange ChangeOf(string location, JsonElement before, JsonElement after, ref bool isCut)
    {
        if (before.ValueKind == JsonValueKind.String && after.ValueKind == JsonValueKind.String)
        {
            string old = JsonText.GetString(before);
            string now = JsonText.GetString(after);
            if (old.Length > ValueBudget || now.Length > ValueBudget)
            {
                return TextChangeOf(location, old, now, ref isCut);
            }
        }

        return new(location, Display(before, ref isCut), Display(after, ref isCut));
    }

    /// <summary>Of long texts only what differs, with a little around it: a change in the middle must not vanish between a head and a tail.</summary>
    private static ToolChange TextChangeOf(string location, string old, string now, ref bool isCut)
    {
        int same = old.AsSpan().CommonPrefixLength(now);
        int shorter = Math.Min(old.Length, now.Length);
        int tail = 0;
        while (tail < shorter - same && old[^(tail + 1)] == now[^(tail + 1)])
        {
            tail++;
        }

        int head = StartOfCharacter(old, Math.Max(0, same - Around));
        tail = Math.Max(0, tail - Around);
        if (tail > 0 && (char.IsLowSurrogate(old[^tail]) || char.IsLowSurrogate(now[^tail])))
        {
            tail--;
        }

        return new(location, Part(old, head, tail, ref isCut), Part(now, head, tail, ref isCut));
    }

    private static int StartOfCharacter(string text, int at) => at > 0 && char.IsLowSurrogate(text[at]) ? at - 1 : at;

    private static string Part(string text, int head, int tail, ref bool isCut)
    {
        DisplayText shown = ConsentDisplay.Quote(text[head..(text.Length - tail)], PartBudget);
        isCut |= shown.IsCut;
        string before = head == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"({head:N0} equal characters) ");
        string after = tail == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" ({tail:N0} equal characters)");
        return before + shown.Text + after;
    }

    private static bool SameValue(JsonElement left, JsonElement right)
    {
        Span<byte> leftHash = stackalloc byte[CanonicalJson.HashLength];
        Span<byte> rightHash = stackalloc byte[CanonicalJson.HashLength];
        return left.ValueKind == right.ValueKind
            && CanonicalJson.TryHash(default, left, ToolFingerprint.Limits, leftHash) == JsonFault.None
            && CanonicalJson.TryHash(default, right, ToolFingerprint.Limits, rightHash) == JsonFault.None
            && leftHash.SequenceEqual(rightHash);
    }

    private static string Inner(string location, string name) =>
        $"{location}/{ConsentDisplay.Name(name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal))}";

    private static string? Display(JsonElement value, ref bool isCut)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        DisplayText shown = ConsentDisplay.Value(value, PartBudget);
        isCut |= shown.IsCut;
        return shown.Text;
    }

    private static ReadOnlySpan<byte> RawOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Undefined ? default : JsonMarshal.GetRawUtf8Value(value);
}
