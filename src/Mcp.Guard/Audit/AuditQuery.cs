namespace Mcp.Guard;

/// <summary>Selects entries of an audit log. What is null selects everything; texts are compared exactly.</summary>
public sealed class AuditQuery
{
    /// <summary>The earliest time, included.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The latest time, excluded.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The smallest number.</summary>
    public long FromSequence { get; init; }

    /// <summary>The kind of record.</summary>
    public AuditKind? Kind { get; init; }

    /// <summary>The caller's user.</summary>
    public string? UserId { get; init; }

    /// <summary>The caller's session.</summary>
    public string? SessionId { get; init; }

    /// <summary>The server's id.</summary>
    public string? Server { get; init; }

    /// <summary>The tool, prompt or resource.</summary>
    public string? Target { get; init; }

    /// <summary>The decision or outcome word.</summary>
    public string? Decision { get; init; }

    /// <summary>The denial code.</summary>
    public string? Code { get; init; }

    /// <summary>The decision id.</summary>
    public string? DecisionId { get; init; }

    /// <summary>How many entries at most; no limit by default.</summary>
    public long Limit { get; init; } = long.MaxValue;
}
