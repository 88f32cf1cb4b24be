using System.Text.Json;

namespace Mcp.Guard;

/// <summary>What a person is asked. Made by the guard; a provider shows it.</summary>
public sealed class ConsentRequest
{
    /// <summary>A random id of this prompt; an answer for another id denies.</summary>
    public required string RequestId { get; init; }

    /// <summary>The id of the decision in the audit.</summary>
    public required string DecisionId { get; init; }

    /// <summary>The server's id in the policy.</summary>
    public required string ServerId { get; init; }

    /// <summary>The JSON-RPC method, for example <c>tools/call</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The exact name of the tool (or prompt, or resource), escaped for display. Show it first.</summary>
    public required string ToolName { get; init; }

    /// <summary>The title, in the server's words, sanitised; null where it has none.</summary>
    public string? ServerSuppliedTitle { get; init; }

    /// <summary>The description, in the server's words, sanitised; null where it has none.</summary>
    public string? ServerSuppliedDescription { get; init; }

    /// <summary>The arguments exactly as they will be sent.</summary>
    public JsonElement Arguments { get; init; }

    /// <summary>The arguments for display: controls, bidi and invisible characters escaped, runs of blanks collapsed visibly, long values cut with their length.</summary>
    public required string ArgumentsForDisplay { get; init; }

    /// <summary>True where <see cref="ArgumentsForDisplay"/> or <see cref="Changes"/> leave something out; no lasting answer is offered then.</summary>
    public bool IsCut { get; init; }

    /// <summary>Why a person is asked: the reasons of every stage that asked.</summary>
    public required IReadOnlyList<string> Reasons { get; init; }

    /// <summary>On whose behalf the call is made.</summary>
    public required GuardCaller Caller { get; init; }

    /// <summary>Why the model says that it chose the tool, sanitised and bounded; null where the host gave none. It is the model's text: show it last and say so.</summary>
    public string? ModelSuppliedIntent { get; init; }

    /// <summary>True where the call counts as destructive.</summary>
    public required bool IsDestructive { get; init; }

    /// <summary>True where the tool reaches beyond the host's own systems, or does not say that it does not.</summary>
    public required bool IsOpenWorld { get; init; }

    /// <summary>
    /// For a changed tool: what its definition was and is, field by field, for display; otherwise empty. "Once" then agrees for this call, "this tool" to the
    /// change itself.
    /// </summary>
    public IReadOnlyList<ToolChange> Changes { get; init; } = [];

    /// <summary>How many more differences there are than <see cref="Changes"/>.</summary>
    public int OmittedChanges { get; init; }

    /// <summary>The answers that may be given.</summary>
    public required ConsentScopes Offered { get; init; }

    /// <summary>The number of identical pending calls that this prompt stands for: 1 or more.</summary>
    public int MergedCalls { get; init; } = 1;

    /// <summary>The moment after which an answer counts as "no".</summary>
    public required DateTimeOffset Deadline { get; init; }
}
