namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What a check of binary content found. The default refuses.</summary>
internal enum MediaVerdict
{
    /// <summary>The type is not one that the policy lists.</summary>
    TypeNotAllowed = 0,

    /// <summary>The first bytes are those of another type, or of none known.</summary>
    Mismatch,

    /// <summary>More bytes than the policy allows.</summary>
    TooLarge,

    /// <summary>The data is not base64.</summary>
    NotBase64,

    /// <summary>Type and first bytes agree.</summary>
    Matches,
}
