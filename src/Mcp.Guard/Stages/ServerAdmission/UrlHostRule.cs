namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>How an entry of a URL allowlist names hosts.</summary>
internal enum UrlHostRule
{
    /// <summary>Not compiled; matches nothing.</summary>
    None = 0,

    /// <summary>One host.</summary>
    Exact,

    /// <summary><c>*.</c> and a name: one label or more in front of it, never the name itself.</summary>
    Subdomains,

    /// <summary><c>*</c>: every public host.</summary>
    AnyPublic,
}
