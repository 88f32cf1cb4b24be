namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The finer reason below the code <c>url-not-allowed</c>, for the audit.</summary>
internal enum UrlDenial
{
    NotJudged = 0,
    ForbiddenCharacter,
    NoScheme,
    UserInfo,
    Fragment,
    Host,
    HostNotCanonical,
    Address,
    Port,
    NotListed,
    PathNotListed,
    PathEncoding,
    PrivateAddress,
    SpecialName,
    NoAnswer,
    AnswerNotPublic,
    AnswerNotLoopback,
    TooManyRedirects,
    CrossOriginRedirect,
    BadRedirect,
    TooLong,
    CredentialsForOtherUse,
}
