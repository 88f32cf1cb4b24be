namespace Mcp.Guard.Cli.Terminal;

/// <summary>What the command ends with, for every verb.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The verb did what it was asked, and its verdict is negative.</summary>
    public const int Negative = 1;

    /// <summary>Bad usage, or input that cannot be read or used.</summary>
    public const int BadInput = 2;
}
