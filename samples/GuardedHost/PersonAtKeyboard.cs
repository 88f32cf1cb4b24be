namespace GuardedHost;

/// <summary>Reads the answer from the console. Silence is no.</summary>
internal sealed class PersonAtKeyboard(Screen screen) : IPerson
{
    public bool SaysYes()
    {
        screen.Prompt("allow it this once? [y/N] ");
        return string.Equals(Console.ReadLine()?.Trim(), "y", StringComparison.OrdinalIgnoreCase);
    }
}
