namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What <see cref="LaunchAdmission"/> says of a start. An uninitialised value (<c>default</c>) denies.</summary>
internal readonly record struct LaunchVerdict
{
    private LaunchVerdict(ResolvedCommand? command, string? fingerprint, CommandDenial denial, string? detail)
    {
        Command = command;
        Fingerprint = fingerprint;
        Denial = denial;
        Detail = detail;
    }

    /// <summary>What is started; null where the start is denied.</summary>
    public ResolvedCommand? Command { get; }

    /// <summary>The digest over file, arguments and environment; null where the start is denied.</summary>
    public string? Fingerprint { get; }

    public CommandDenial Denial { get; }

    /// <summary>What fixes it, where there is more to say than <see cref="CommandDenials"/> says.</summary>
    public string? Detail { get; }

    public bool IsAllowed => Command is not null;

    /// <summary>The reason for the audit and for the host's author.</summary>
    public string Reason => Detail is null ? CommandDenials.Describe(Denial) : $"{CommandDenials.Describe(Denial)} ({Detail})";

    public static LaunchVerdict Admit(ResolvedCommand command, string fingerprint) => new(command, fingerprint, default, null);

    public static LaunchVerdict Deny(CommandDenial denial, string? detail = null) => new(null, null, denial, detail);
}
