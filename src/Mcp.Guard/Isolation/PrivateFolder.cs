namespace Mcp.Guard.Isolation;

/// <summary>
/// The folders the guard makes for one start of an unjailed server: one to write in, and an empty one to start in, which stays the guard's own and
/// read-only, so that nothing planted there (node_modules, .npmrc) is taken for part of the program. Plans name the first by a mark until it exists.
/// </summary>
internal static class PrivateFolder
{
    /// <summary>Stands for the folder to write in, in the environment of a plan.</summary>
    public const string Mark = "<private folder>";

    /// <summary>The folder to write in, below what was made.</summary>
    public static string Writable(string folder) => Path.Combine(folder, "tmp");

    /// <summary>The folder to start in, below what was made.</summary>
    public static string Start(string folder) => Path.Combine(folder, "start");

    /// <summary>The plan with the folders that were made.</summary>
    public static IsolationPlan Place(IsolationPlan plan, string folder)
    {
        string writable = Writable(folder);
        var environment = new List<IsolationVariable>(plan.Environment.Count);
        foreach (IsolationVariable variable in plan.Environment)
        {
            environment.Add(ReferenceEquals(variable.Value, Mark) ? variable with { Value = writable } : variable);
        }

        return plan with { WorkingDirectory = Start(folder), Environment = environment };
    }
}
