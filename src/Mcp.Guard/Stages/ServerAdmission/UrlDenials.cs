namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The audit text of each <see cref="UrlDenial"/>; constant, and it repeats nothing of the input.</summary>
internal static class UrlDenials
{
    public static string Describe(UrlDenial denial) => denial switch
    {
        UrlDenial.ForbiddenCharacter => "the URL contains a blank, a control, a backslash, a format character, or other characters outside its host",
        UrlDenial.NoScheme => "the URL does not start with http:// or https://",
        UrlDenial.UserInfo => "the URL holds user information",
        UrlDenial.Fragment => "the URL has a fragment",
        UrlDenial.Host => "the URL has no valid host name",
        UrlDenial.HostNotCanonical => "the host is spelled in a way that programs read differently",
        UrlDenial.Address => "the host is not a canonical IP address",
        UrlDenial.Port => "the port is not a plain number from 1 to 65535",
        UrlDenial.NotListed => "no entry of the allowlist names this scheme, host and port",
        UrlDenial.PathNotListed => "an entry names the host, but not this path",
        UrlDenial.PathEncoding => "the path holds an encoded dot, slash, backslash or NUL, a malformed escape, or dots with a parameter",
        UrlDenial.PrivateAddress => "the address is not public and no entry lists it exactly",
        UrlDenial.SpecialName => "the name is special and no entry lists it exactly",
        UrlDenial.NoAnswer => "the name has no address",
        UrlDenial.AnswerNotPublic => "the name resolves to an address that its entry does not permit",
        UrlDenial.AnswerNotLoopback => "localhost resolves to an address that is not loopback",
        UrlDenial.TooManyRedirects => "more than 10 redirects",
        UrlDenial.CrossOriginRedirect => "the redirect leaves the origin",
        UrlDenial.BadRedirect => "the redirect target cannot be read",
        UrlDenial.TooLong => "the URL is longer than 8,192 characters",
        UrlDenial.CredentialsForOtherUse => "an authorization URL is given no bearer token, cookie, session or MCP message, only a form or a registration",
        _ => "the URL was not judged",
    };
}
