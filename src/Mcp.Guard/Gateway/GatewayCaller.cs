using System.Security.Claims;

namespace Mcp.Guard.Gateway;

/// <summary>The caller of an authenticated request, of its claims and nothing else: never of a protocol session, a client name or a header.</summary>
internal static class GatewayCaller
{
    private const string Subject = "sub";
    private const string SessionOfLogin = "sid";

    /// <summary>
    /// Stands for the session where the login names none. Protocol sessions do not count: 2026-07-28 has none, and a client opens as many of the older ones as
    /// it likes, which would give it as many budgets.
    /// </summary>
    public const string AnySession = "gateway";

    /// <summary>The caller, or null where the identity is missing, not authenticated or ambiguous.</summary>
    public static GuardCaller? Of(ClaimsPrincipal user)
    {
        Claim? subject = null;
        Claim? session = null;
        foreach (ClaimsIdentity identity in user.Identities)
        {
            if (!identity.IsAuthenticated)
            {
                continue;
            }

            foreach (Claim claim in identity.Claims)
            {
                if (claim.Type is ClaimTypes.NameIdentifier or Subject)
                {
                    if (subject is not null && !Same(subject, claim))
                    {
                        return null; // two answers to "who is it" are none
                    }

                    subject = claim;
                }
                else if (claim.Type is SessionOfLogin)
                {
                    if (session is not null && !Same(session, claim))
                    {
                        return null;
                    }

                    session = claim;
                }
            }
        }

        if (subject is null || string.IsNullOrWhiteSpace(subject.Value))
        {
            return null;
        }

        string userId = NameOf(subject);
        string sessionId = session is null || string.IsNullOrWhiteSpace(session.Value) ? AnySession : "sid " + session.Value;
        return userId.Length <= 256 && sessionId.Length <= 256 ? new GuardCaller(userId, sessionId) : null;
    }

    private static bool Same(Claim a, Claim b) =>
        string.Equals(a.Value, b.Value, StringComparison.Ordinal) && string.Equals(a.Issuer, b.Issuer, StringComparison.Ordinal);

    /// <summary>
    /// Two issuers may use the same subject for two people, so the issuer belongs to the name. Blanks and percent signs inside a part are escaped: no two pairs
    /// give the same name.
    /// </summary>
    private static string NameOf(Claim subject) =>
        string.Equals(subject.Issuer, ClaimsIdentity.DefaultIssuer, StringComparison.Ordinal)
            ? Escape(subject.Value)
            : $"{Escape(subject.Value)} {Escape(subject.Issuer)}";

    private static string Escape(string part) => part.Replace("%", "%25", StringComparison.Ordinal).Replace(" ", "%20", StringComparison.Ordinal);
}
