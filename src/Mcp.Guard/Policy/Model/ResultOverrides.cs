using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>The part of <see cref="ResultSettings"/> that a rule sets; null is not set.</summary>
internal sealed record ResultOverrides
{
    public long? MaxBytes { get; init; }

    public int? MaxItems { get; init; }

    public int? MaxDepth { get; init; }

    public ResultOverflow? Overflow { get; init; }

    public RemoteReferences? RemoteReferences { get; init; }

    public RemoteReferences? LinksWithQuery { get; init; }

    public FrozenSet<string>? AllowedHosts { get; init; }

    public FrozenSet<string>? MediaTypes { get; init; }

    public long? MediaMaxBytes { get; init; }

    public ResultFraming? Framing { get; init; }

    public bool? Redact { get; init; }

    public FrozenDictionary<ContentFindings, FlagAction>? Flags { get; init; }

    /// <summary>Two rules that both match: of each value the stricter one.</summary>
    public ResultOverrides Stricter(ResultOverrides other) => new()
    {
        MaxBytes = Least(MaxBytes, other.MaxBytes),
        MaxItems = Least(MaxItems, other.MaxItems),
        MaxDepth = Least(MaxDepth, other.MaxDepth),
        Overflow = Least(Overflow, other.Overflow),
        RemoteReferences = Greatest(RemoteReferences, other.RemoteReferences),
        LinksWithQuery = Greatest(LinksWithQuery, other.LinksWithQuery),
        AllowedHosts = Common(AllowedHosts, other.AllowedHosts),
        MediaTypes = Common(MediaTypes, other.MediaTypes),
        MediaMaxBytes = Least(MediaMaxBytes, other.MediaMaxBytes),
        Framing = Greatest(Framing, other.Framing),
        Redact = Redact is null && other.Redact is null ? null : Redact == true || other.Redact == true,
        Flags = StricterFlags(Flags, other.Flags),
    };

    /// <summary>What is in force where these override the server's settings.</summary>
    public ResultSettings Over(ResultSettings settings)
    {
        FrozenDictionary<ContentFindings, FlagAction> flags = settings.Flags;
        if (Flags is not null)
        {
            var merged = new Dictionary<ContentFindings, FlagAction>(settings.Flags);
            foreach ((ContentFindings finding, FlagAction action) in Flags)
            {
                merged[finding] = action;
            }

            flags = merged.ToFrozenDictionary();
        }

        return settings with
        {
            MaxBytes = MaxBytes ?? settings.MaxBytes,
            MaxItems = MaxItems ?? settings.MaxItems,
            MaxDepth = MaxDepth ?? settings.MaxDepth,
            Overflow = Overflow ?? settings.Overflow,
            RemoteReferences = RemoteReferences ?? settings.RemoteReferences,
            LinksWithQuery = LinksWithQuery ?? settings.LinksWithQuery,
            AllowedHosts = AllowedHosts ?? settings.AllowedHosts,
            MediaTypes = MediaTypes ?? settings.MediaTypes,
            MediaMaxBytes = MediaMaxBytes ?? settings.MediaMaxBytes,
            Framing = Framing ?? settings.Framing,
            Redact = Redact ?? settings.Redact,
            Flags = flags,
        };
    }

    private static FrozenSet<string>? Common(FrozenSet<string>? a, FrozenSet<string>? b) =>
        a is null ? b : b is null ? a : a.Where(b.Contains).ToFrozenSet(StringComparer.Ordinal);

    private static T? Least<T>(T? a, T? b)
        where T : struct => a is null ? b : b is null ? a : Comparer<T>.Default.Compare(a.Value, b.Value) <= 0 ? a : b;

    private static T? Greatest<T>(T? a, T? b)
        where T : struct => a is null ? b : b is null ? a : Comparer<T>.Default.Compare(a.Value, b.Value) >= 0 ? a : b;

    private static FrozenDictionary<ContentFindings, FlagAction>? StricterFlags(
        FrozenDictionary<ContentFindings, FlagAction>? a, FrozenDictionary<ContentFindings, FlagAction>? b)
    {
        if (a is null || b is null)
        {
            return a ?? b;
        }

        var merged = new Dictionary<ContentFindings, FlagAction>(a);
        foreach ((ContentFindings finding, FlagAction action) in b)
        {
            merged[finding] = merged.TryGetValue(finding, out FlagAction other) && other > action ? other : action;
        }

        return merged.ToFrozenDictionary();
    }
}
