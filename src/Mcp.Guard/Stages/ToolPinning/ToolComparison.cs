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
            lines.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"and {omitted} more differences"));
        }

        return lines;
    }

    /// <summary>The differences, in the order of the old definition and then of the new.</summary>
    /// <param name="before">The definition that was approved.</param>
    /// <param name="after">The definition that is offered.</param>
    /// <param name="omitted">How many more there are than <see cref="MaxChanges"/>.</param>
    public static IReadOnlyList<ToolChange> Changes(JsonElement before, JsonElement after, out int omitted)
    {
        var changes = new List<ToolChange>();
        int total = 0;
        if (JsonAdmission.Check(RawOf(before), ToolFingerprint.Limits) == JsonFault.None && JsonAdmission.Check(RawOf(after), ToolFingerprint.Limits) == JsonFault.None)
        {
            Compare(before, after, string.Empty, 0, changes, ref total);
        }
        else
        {
            Add(new ToolChange(string.Empty, Display(before), Display(after)), changes, ref total);
        }

        omitted = total - changes.Count;
        return changes;
    }

    private static void Compare(JsonElement before, JsonElement after, string location, int depth, List<ToolChange> changes, ref int total)
    {
        if (SameValue(before, after))
        {
            return;
        }

        if (before.ValueKind != JsonValueKind.Object || after.ValueKind != JsonValueKind.Object
            || depth == MaxDepth || location.Length > MaxLocation
            || before.GetPropertyCount() > MaxMembers || after.GetPropertyCount() > MaxMembers)
        {
            Add(new ToolChange(location, Display(before), Display(after)), changes, ref total);
            return;
        }

        foreach (JsonProperty old in before.EnumerateObject())
        {
            string inner = Inner(location, old.Name);
            if (after.TryGetProperty(old.Name, out JsonElement now))
            {
                Compare(old.Value, now, inner, depth + 1, changes, ref total);
            }
            else
            {
                Add(new ToolChange(inner, Display(old.Value), null), changes, ref total);
            }
        }

        foreach (JsonProperty now in after.EnumerateObject())
        {
            if (!before.TryGetProperty(now.Name, out _))
            {
                Add(new ToolChange(Inner(location, now.Name), null, Display(now.Value)), changes, ref total);
            }
        }
    }

    private static void Add(ToolChange change, List<ToolChange> changes, ref int total)
    {
        total++;
        if (changes.Count < MaxChanges)
        {
            changes.Add(change);
        }
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

    private static string Display(JsonElement value) => ConsentDisplay.Value(value, ValueBudget).Text;

    private static ReadOnlySpan<byte> RawOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Undefined ? default : JsonMarshal.GetRawUtf8Value(value);
}
