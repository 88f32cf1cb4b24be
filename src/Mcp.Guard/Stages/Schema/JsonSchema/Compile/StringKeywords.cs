namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Keywords on strings.</summary>
internal sealed class StringKeywords
{
    public int MinLength { get; set; }

    public int MaxLength { get; set; } = int.MaxValue;

    public EcmaPattern? Pattern { get; set; }

    /// <summary>The format to assert; null where it is an annotation or unknown.</summary>
    public StringFormat? Format { get; set; }
}
