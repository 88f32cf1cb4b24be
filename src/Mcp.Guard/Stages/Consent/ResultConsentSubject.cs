using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// A result that a person is asked about. Bound to the exact bytes of the result, so that one yes never lets another result through; no answer lasts.
/// </summary>
internal sealed class ResultConsentSubject(ResultContext result) : ConsentSubject(result.Call), IConsentSubject
{
    /// <summary>Follows the method of the call: no grant for a call covers it.</summary>
    public const string MethodSuffix = " result";

    string IConsentSubject.Method => Call.Method + MethodSuffix;

    JsonElement IConsentSubject.Arguments => result.Current;

    string? IConsentSubject.ArgumentsDigest => Convert.ToHexStringLower(SHA256.HashData(JsonMarshal.GetRawUtf8Value(result.Current)));

    IReadOnlyList<string> IConsentSubject.Reasons => [.. result.AskReasons!.Select(reason => reason.Reason).Distinct(StringComparer.Ordinal)];

    ConsentScopes IConsentSubject.Permitted => ConsentScopes.Once;
}
