using System.Text.Json;
using Mcp.Guard.Stages.ToolPinning;

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
    /// The fingerprint of the definition by which the call was judged; empty where the target has none. Of a changed tool it also names the pin: a consent to the
    /// definition that was given before, or without showing the change, is none to the change.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>The fingerprint as the catalogue holds it at this moment: where it changed meanwhile an answer was given for another tool.</summary>
    string CurrentFingerprint { get; }

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

    /// <summary>For a changed tool: what is different from what was approved.</summary>
    ToolDifferences Differences { get; }

    /// <summary>
    /// Gives effect to a person's agreement to a changed tool beyond the call that was asked about.
    /// </summary>
    /// <returns>The <see cref="Fingerprint"/> of such calls from now on; null where the agreement could not be kept, which denies.</returns>
    ValueTask<string?> AgreeToChangeAsync(CancellationToken ct);

    /// <summary>The lasting answers that the policy lets a person give here.</summary>
    ConsentScopes Permitted { get; }
}
