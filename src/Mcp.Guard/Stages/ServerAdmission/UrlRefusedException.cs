namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>A request, a redirect or a connection was refused by the URL allowlist.</summary>
internal sealed class UrlRefusedException(UrlVerdict verdict) : HttpRequestException($"{verdict.Code}: {verdict.Message}")
{
    public UrlVerdict Verdict { get; } = verdict;

    /// <summary>The refusal that caused a failure of HTTP, which wraps what a connection throws; null where there is none.</summary>
    public static UrlRefusedException? In(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is UrlRefusedException refused)
            {
                return refused;
            }
        }

        return null;
    }
}
