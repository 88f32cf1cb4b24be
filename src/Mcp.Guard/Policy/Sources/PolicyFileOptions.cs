namespace Mcp.Guard.Policy;

/// <summary>How a policy file is watched.</summary>
internal sealed record PolicyFileOptions
{
    public static PolicyFileOptions Default { get; } = new();

    /// <summary>How long a change must rest before it is read: editors and deployments write in several steps. Default 250 milliseconds.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the file is read without being told: notifications are lost on network drives, bind mounts and full queues. Default 5 seconds.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the system's notifications are used besides. Default true.</summary>
    public bool UseNotifications { get; init; } = true;

    public PolicyReadOptions Read { get; init; } = PolicyReadOptions.Default;

    /// <summary>Says why the host cannot use a new policy (null: it can). Such a policy is refused like a bad one.</summary>
    public Func<PolicySnapshot, string?>? Objection { get; init; }
}
