namespace Mcp.Guard.Cli.Terminal;

/// <summary>What a piece of output means. A tone adds a colour where there are colours and never carries anything by itself: the words say it too.</summary>
internal enum Tone
{
    Plain = 0,
    Strong,
    Faint,
    Good,
    Caution,
    Bad,
}
