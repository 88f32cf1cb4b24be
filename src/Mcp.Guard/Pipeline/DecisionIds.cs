namespace Mcp.Guard.Pipeline;

/// <summary>Makes the ids of decisions: UUID version 7 (RFC 9562 section 5.7), so that they sort by time.</summary>
internal static class DecisionIds
{
    public static string Next(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow()).ToString();
}
