using System.Text;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>Where a <see cref="CommandTerminal"/> writes and reads, and what may be written there.</summary>
internal sealed record TerminalStreams
{
    public required Stream Output { get; init; }

    public required Stream Error { get; init; }

    public required TextReader Input { get; init; }

    /// <summary>Whether standard output is a terminal: then lines are wrapped to its width.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether standard error is a terminal: then progress moves.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Whether colours may be used at all.</summary>
    public bool Colours { get; init; }

    /// <summary>Columns of the terminal; tables are this wide at most. 80 where there is none.</summary>
    public int Width { get; init; } = 80;

    /// <summary>Those of the process. Colours are off with <c>NO_COLOR</c> (no-color.org: set and not empty), with <c>TERM=dumb</c> and where output is redirected.</summary>
    public static TerminalStreams OfProcess()
    {
        bool output = !Console.IsOutputRedirected;
        bool colours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && !string.Equals(Environment.GetEnvironmentVariable("TERM"), "dumb", StringComparison.Ordinal);
        if (OperatingSystem.IsWindows())
        {
            try
            {
                Console.OutputEncoding = Encoding.UTF8;
            }
            catch (IOException)
            {
                // No console is attached: what is redirected is UTF-8 anyway.
            }
        }

        return new()
        {
            Output = Console.OpenStandardOutput(),
            Error = Console.OpenStandardError(),
            Input = Console.In,
            OutputIsTerminal = output,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Colours = colours,
            Width = output ? WidthOfWindow() : 80,
        };
    }

    private static int WidthOfWindow()
    {
        try
        {
            // A terminal of no width (a pseudo-terminal that nobody sized) counts as one of 80 columns.
            return Console.WindowWidth is > 0 and int width ? Math.Clamp(width, 40, 200) : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
