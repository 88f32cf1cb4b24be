namespace Mcp.Guard.Isolation;

/// <summary>Makes the plan of one start: checks the options, resolves what is bound, builds the command line, says what is in force. Starts nothing.</summary>
internal static class IsolationPlanner
{
    /// <summary>Plans a start.</summary>
    /// <exception cref="IsolationException">The server cannot be started as its policy asks; nothing weaker is planned instead.</exception>
    public static IsolationPlan Create(IsolationOptions options, IsolationHost host)
    {
        OptionRules.Check(options, host);
        IsolationPlan plan = options.Mode switch
        {
            IsolationMode.Bubblewrap => BubblewrapPlanner.Create(options, host),
            IsolationMode.Container => ContainerPlanner.Create(options, host),
            IsolationMode.None => NonePlanner.Create(options, host),
            _ => throw new IsolationException(
                options.Server,
                IsolationFault.InvalidOptions,
                "its policy says no isolation mode",
                "Set isolation.mode to \"bubblewrap\" or \"container\", or to \"none\" to run it without a box"),
        };
        foreach (string required in options.Required)
        {
            IsolationControlStatus? status = plan.Controls.FirstOrDefault(control => control.Control == required);
            if (status is not { InForce: true })
            {
                throw new IsolationException(
                    options.Server,
                    IsolationFault.ControlUnavailable,
                    $"its policy requires the control '{required}', which is not in force: {status?.Detail ?? "this mode does not know it"}",
                    "Provide what is missing, choose another isolation mode, or take the control out of isolation.required");
            }
        }

        return plan;
    }
}
