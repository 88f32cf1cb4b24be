namespace Mcp.Guard.Isolation;

/// <summary>The folder the guard makes for one start of an unjailed server. Plans name it by a mark until it exists.</summary>
internal static class PrivateFolder
{
    /// <summary>Stands for the folder in the environment of a plan.</summary>
    public const string Mark = "<private folder>";

    /// <summary>The plan with the folder that was made.</summary>
    public static IsolationPlan Place(IsolationPlan plan, string folder)
    {
        var environment = new List<IsolationVariable>(plan.Environment.Count);
        foreach (IsolationVariable variable in plan.Environment)
        {
            environment.Add(ReferenceEquals(variable.Value, Mark) ? variable with { Value = folder } : variable);
        }

        return plan with { WorkingDirectory = folder, Environment = environment };
    }
}
