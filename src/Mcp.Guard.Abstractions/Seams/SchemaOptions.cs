namespace Mcp.Guard;

/// <summary>How a schema is compiled.</summary>
public sealed class SchemaOptions
{
    /// <summary>What the schema is for: the root rules of MCP apply to <see cref="SchemaUse.InputSchema"/> and <see cref="SchemaUse.OutputSchema"/>.</summary>
    public SchemaUse Use { get; init; }

    /// <summary>The negotiated protocol version; null is the newest that the library knows.</summary>
    public string? ProtocolVersion { get; init; }

    /// <summary>Whether <c>format</c> is asserted. Default false: an annotation, as the dialects say.</summary>
    public bool AssertFormats { get; init; }
}
