namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The codes of schema rejections: stable, never reused.</summary>
internal static class RejectionCodes
{
    public const string Text = "schema-text";
    public const string TooLarge = "schema-too-large";
    public const string NotASchema = "schema-not-object-or-boolean";
    public const string Dialect = "dialect-unknown";
    public const string KeywordType = "keyword-type";
    public const string KeywordValue = "keyword-value";
    public const string Limit = "schema-limit";
    public const string Identifier = "identifier-invalid";
    public const string IdentifierTaken = "identifier-taken";
    public const string Reference = "reference-unresolved";
    public const string ReferenceCycle = "reference-cycle";
    public const string Pattern = "pattern-unsupported";
}
