namespace Mcp.Guard.Tests.Proof;

/// <summary>What a request is about.</summary>
internal enum TargetModel
{
    Tool,
    Resource,
    Prompt,
}
