namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>A request, a redirect or a connection was refused by the URL allowlist.</summary>
internal sealed class UrlRefusedException(UrlVerdict verdict) : HttpRequestException($"{verdict.Code}: {verdict.Message}")
{
    public UrlVerdict Verdict { get; } = verdict;
}
