using System.Text.Json;

namespace Mcp.Guard.Cli.Replay;

/// <summary>A request of the past as its record holds it.</summary>
internal sealed class RecordedCall
{
    public required string DecisionId { get; init; }

    /// <summary>Whether it is told about, or only judged for what it used up.</summary>
    public bool IsSelected { get; init; } = true;

    /// <summary>When it came: the time in its id, or that of the record.</summary>
    public required DateTimeOffset Time { get; init; }

    public required string Server { get; init; }

    public required string Method { get; init; }

    /// <summary>The tool, prompt or resource; null where the method has none, or the record does not hold it whole.</summary>
    public string? Target { get; init; }

    public GuardCaller? Caller { get; init; }

    public string? ProtocolVersion { get; init; }

    /// <summary>The fingerprint of the tool's definition; null where the call was refused before the definition was looked at.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The arguments as they were; undefined where there were none, and where <see cref="MissingArguments"/> says why they are not known.</summary>
    public JsonElement Arguments { get; init; }

    /// <summary>Why the arguments are not known as they were; null where they are.</summary>
    public string? MissingArguments { get; init; }

    public required PastVerdict Past { get; init; }

    /// <summary>The denial code of the past; empty where nothing was denied.</summary>
    public string PastCode { get; init; } = string.Empty;

    /// <summary>The stage that denied; empty where none did.</summary>
    public string PastStage { get; init; } = string.Empty;

    /// <summary>True where a dry run let the call pass: <see cref="Past"/> is what the policy of then said, not what became of it.</summary>
    public bool PassedByDryRun { get; init; }

    /// <summary>How many calls the record stands for.</summary>
    public long Count { get; init; } = 1;
}
