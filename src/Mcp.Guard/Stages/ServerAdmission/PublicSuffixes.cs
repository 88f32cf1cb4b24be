using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Common suffixes below which anyone can register a name: a wildcard over one is a slip, not a rule. The list is short on purpose and no
/// substitute for the Public Suffix List; a single label after the star is always refused.
/// </summary>
internal static class PublicSuffixes
{
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Known = new[]
    {
        "co.uk", "org.uk", "ac.uk", "gov.uk", "me.uk", "com.au", "net.au", "org.au", "co.nz", "co.jp", "ne.jp", "or.jp", "co.kr", "com.br",
        "com.cn", "com.hk", "com.mx", "com.sg", "com.tr", "com.tw", "co.id", "co.il", "co.in", "co.th", "co.za", "com.ar", "com.ua", "com.pl",
        "github.io", "gitlab.io", "bitbucket.io", "githubpreview.dev", "app.github.dev", "pages.dev", "workers.dev", "r2.dev", "vercel.app",
        "now.sh", "netlify.app", "herokuapp.com", "azurewebsites.net", "azurecontainerapps.io", "azurestaticapps.net", "cloudapp.net",
        "cloudapp.azure.com", "blob.core.windows.net", "web.core.windows.net", "cloudfront.net", "amazonaws.com", "s3.amazonaws.com",
        "elasticbeanstalk.com", "on.aws", "awsapprunner.com", "appspot.com", "run.app", "a.run.app", "web.app", "firebaseapp.com",
        "cloudfunctions.net", "onrender.com", "fly.dev", "railway.app", "up.railway.app", "deno.dev", "replit.app", "repl.co", "glitch.me",
        "surge.sh", "ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "loca.lt", "lhr.life", "serveo.net", "hf.space",
        "streamlit.app", "duckdns.org", "nip.io", "sslip.io", "xip.io",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    public static bool Contains(ReadOnlySpan<char> host) => Known.Contains(host);
}
