using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>What a result may be and what is done to it before it is delivered.</summary>
internal sealed record ResultSettings
{
    /// <summary>The recommended settings.</summary>
    public static ResultSettings Recommended { get; } = new();

    /// <summary>Bytes of one message from the server. Default 4 MiB, at most 64 MiB.</summary>
    public long MaxBytes { get; init; } = 4L * 1024 * 1024;

    /// <summary>Content blocks. Default 1,000.</summary>
    public int MaxItems { get; init; } = 1_000;

    /// <summary>Nesting. Default 64.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>Default deny.</summary>
    public ResultOverflow Overflow { get; init; } = ResultOverflow.Deny;

    /// <summary>Default defang.</summary>
    public RemoteReferences RemoteReferences { get; init; } = RemoteReferences.Defang;

    /// <summary>What happens to links of other hosts that carry a query; a link opens only when a person clicks it. Default keep.</summary>
    public RemoteReferences LinksWithQuery { get; init; } = RemoteReferences.Keep;

    /// <summary>Hosts whose references pass.</summary>
    public FrozenSet<string> AllowedHosts { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Default none.</summary>
    public ResultFraming Framing { get; init; } = ResultFraming.None;

    /// <summary>MIME types of images and audio that pass, in lower case; null is every type that the guard can tell by its first bytes, an empty set is none.</summary>
    public FrozenSet<string>? MediaTypes { get; init; }

    /// <summary>Bytes of one image, sound or binary resource, decoded. Default 16 MiB.</summary>
    public long MediaMaxBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>Whether credentials are removed from what is delivered. Default false.</summary>
    public bool Redact { get; init; }

    /// <summary>What single findings lead to; one that is absent is reported.</summary>
    public FrozenDictionary<ContentFindings, FlagAction> Flags { get; init; } = FrozenDictionary<ContentFindings, FlagAction>.Empty;
}
