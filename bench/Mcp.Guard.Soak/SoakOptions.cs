using System.Globalization;

namespace Mcp.Guard.Soak;

/// <summary>The command line.</summary>
internal sealed record SoakOptions
{
    public double Minutes { get; init; } = 10;

    public int Connections { get; init; } = 200;

    /// <summary>Calls a second over all connections: enough to keep them busy, few enough that the records of an hour fit on a disk.</summary>
    public int Rate { get; init; } = 400;

    /// <summary>Seconds before anything is compared: the slot of an abandoned call and the count of a repeated one are kept for a minute, and swept behind it.</summary>
    public int WarmUp { get; init; } = 150;

    /// <summary>Null where the command line is not understood.</summary>
    public static SoakOptions? Parse(string[] args)
    {
        var options = new SoakOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 >= args.Length || !double.TryParse(args[i + 1], CultureInfo.InvariantCulture, out double value) || value <= 0)
            {
                return null;
            }

            switch (args[i])
            {
                case "--minutes":
                    options = options with { Minutes = value };
                    break;
                case "--connections":
                    options = options with { Connections = (int)value };
                    break;
                case "--rate":
                    options = options with { Rate = (int)value };
                    break;
                case "--warm-up":
                    options = options with { WarmUp = (int)value };
                    break;
                default:
                    return null;
            }
        }

        return options.Minutes * 60 > options.WarmUp ? options : options with { WarmUp = (int)(options.Minutes * 30) };
    }
}
