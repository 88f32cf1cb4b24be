namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What <see cref="CommandAllowlist"/> says of a command. An uninitialised value (<c>default</c>) denies.</summary>
internal readonly struct CommandVerdict
{
    private CommandVerdict(CommandEntry? entry, CommandDenial denial)
    {
        Entry = entry;
        Denial = denial;
    }

    public bool IsAllowed => Entry is not null;

    /// <summary>The entry that allows it; null where denied.</summary>
    public CommandEntry? Entry { get; }

    /// <summary>Why it is denied; without meaning where allowed.</summary>
    public CommandDenial Denial { get; }

    /// <summary>The denial code, or null where allowed.</summary>
    public string? Code => IsAllowed ? null : GuardDenialCodes.ServerNotAllowed;

    /// <summary>The reason for the audit; empty where allowed.</summary>
    public string Message => IsAllowed ? string.Empty : CommandDenials.Describe(Denial);

    public static CommandVerdict Allow(CommandEntry entry) => new(entry, CommandDenial.NotJudged);

    public static CommandVerdict Deny(CommandDenial denial) => new(null, denial);
}
