namespace Mcp.Guard;

/// <summary>One control of the pipeline.</summary>
public interface IGuardStage
{
    /// <summary>The unique name, in the order list, the audit and the configuration (kebab-case).</summary>
    string Name { get; }
}
