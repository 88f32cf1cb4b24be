using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway;

/// <summary>Two users by bearer token. A real gateway takes OAuth access tokens here; all the guard reads is the authenticated user that comes of it.</summary>
internal sealed class TokenAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "sample";

    public static IReadOnlyDictionary<string, string> TokenOf { get; } = new Dictionary<string, string>
    {
        ["ada"] = Guid.NewGuid().ToString("N"),
        ["bob"] = Guid.NewGuid().ToString("N"),
    };

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        foreach (var (user, token) in TokenOf)
        {
            if (string.Equals(Request.Headers.Authorization, "Bearer " + token, StringComparison.Ordinal))
            {
                var identity = new ClaimsIdentity([new Claim("sub", user)], SchemeName);
                return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
            }
        }

        return Task.FromResult(AuthenticateResult.NoResult());
    }
}
