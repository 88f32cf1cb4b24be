namespace GuardedHost;

/// <summary>The command line of the sample.</summary>
internal sealed record CommandLine(string? AuditDirectory, bool Interactive)
{
    /// <summary>Null where the command line is not understood.</summary>
    public static CommandLine? Parse(string[] args)
    {
        string? audit = null;
        bool interactive = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--interactive":
                    interactive = true;
                    break;
                case "--audit" when i + 1 < args.Length:
                    audit = Path.GetFullPath(args[++i]);
                    break;
                default:
                    return null;
            }
        }

        return new CommandLine(audit, interactive);
    }
}
