namespace Mcp.Guard.Tests.Audit;

/// <summary>Names the scenario of <c>audit.json</c> that a test plays.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AuditScenarioAttribute(string id) : PropertyAttribute("scenario", id)
{
    public string Id { get; } = id;
}
