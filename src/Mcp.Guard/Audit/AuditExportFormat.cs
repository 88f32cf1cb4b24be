namespace Mcp.Guard;

/// <summary>How records leave the log. In every format keyed digests and the links of the chain stay behind.</summary>
public enum AuditExportFormat
{
    /// <summary>The records as the log holds them.</summary>
    Json = 0,

    /// <summary>Events of the Open Cybersecurity Schema Framework 1.6.0, class API Activity (6003), profile <c>security_control</c>.</summary>
    Ocsf = 1,
}
