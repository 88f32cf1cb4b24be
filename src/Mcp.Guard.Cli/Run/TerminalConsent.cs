using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Run;

/// <summary>Opens the terminal that the command was started in, which standard streams that carry the protocol are not.</summary>
internal static class TerminalConsent
{
    /// <exception cref="CommandFault">There is none.</exception>
    public static ConsoleConsentProvider Open()
    {
        try
        {
            var input = new FileStream(OperatingSystem.IsWindows() ? "CONIN$" : "/dev/tty", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var output = new FileStream(OperatingSystem.IsWindows() ? "CONOUT$" : "/dev/tty", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            return new ConsoleConsentProvider(new StreamReader(input), new StreamWriter(output) { AutoFlush = true });
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CommandFault("there is no terminal to ask at", "Start the command in a terminal, or use --consent elicitation or --consent deny.", cause: none);
        }
    }
}
