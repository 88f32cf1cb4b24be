namespace Mcp.Guard.Cli.Run;

/// <summary>Who is asked where a policy asks.</summary>
internal enum RunConsent
{
    /// <summary>The person at the client, by elicitation.</summary>
    Elicitation,

    /// <summary>The person at the terminal that the command was started in.</summary>
    Terminal,

    /// <summary>Nobody: what would ask is denied.</summary>
    Deny,
}
