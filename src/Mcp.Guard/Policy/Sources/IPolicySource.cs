namespace Mcp.Guard.Policy;

/// <summary>Gives the policy in force and says when it changes.</summary>
internal interface IPolicySource
{
    /// <summary>The policy in force.</summary>
    PolicySnapshot Current { get; }

    /// <summary>Calls a listener after every change, and after every change that was refused. Dispose what is returned to end that.</summary>
    IDisposable OnChange(Action<PolicyChange> listener);
}
