namespace Mcp.Guard.Tests.Proof;

/// <summary>How a schema engine fails to answer.</summary>
internal enum FaultModel
{
    None,
    Limit,
    Throws,
}
