using System.Text.Json;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// The call that a person may be asked about. What it says is read when it is needed: with a grant in place most of it never is.
/// </summary>
internal interface IConsentSubject
{
    string DecisionId { get; }

    McpServerIdentity Server { get; }

    /// <summary>The text of <see cref="Server"/>, made once for each connection.</summary>
    string ServerKey { get; }

    GuardCaller Caller { get; }

    string Method { get; }

    /// <summary>The exact tool or prompt name, or the resource URI.</summary>
    string Target { get; }

    /// <summary>
    /// The fingerprint of the definition as the catalogue holds it at this moment; empty where the target has none. It is read again after the
    /// answer: where it changed meanwhile the answer was given for another tool.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>The definition as listed, already sanitised; undefined where the target has none.</summary>
    JsonElement Definition { get; }

    /// <summary>The guard's own copy of the arguments, which is what will be sent.</summary>
    JsonElement Arguments { get; }

    /// <summary>The digest of <see cref="Arguments"/> (see <see cref="Json.ArgumentsDigest"/>); null where they are refused.</summary>
    string? ArgumentsDigest { get; }

    /// <summary>The revision of the server's part of the policy.</summary>
    string PolicyRevision { get; }

    /// <summary>Why a person is asked, in words; at least one.</summary>
    IReadOnlyList<string> Reasons { get; }

    bool IsDestructive { get; }

    bool IsOpenWorld { get; }

    /// <summary>For a changed tool: the lines of <see cref="ToolPinning.ToolComparison.Describe"/>.</summary>
    IReadOnlyList<string> Changes { get; }

    /// <summary>The lasting answers that the policy lets a person give here.</summary>
    ConsentScopes Permitted { get; }
}
