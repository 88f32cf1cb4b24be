namespace Mcp.Guard.Stages.Schema;

/// <summary>Codes of the rejections that MCP's rules add to those of the engine.</summary>
internal static class McpSchemaCodes
{
    public const string Root = "mcp-root";
    public const string Header = "mcp-header";
}
