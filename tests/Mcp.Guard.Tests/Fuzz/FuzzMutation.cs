namespace Mcp.Guard.Tests.Fuzz;

/// <summary>Changes an input in a few places: units, tokens, pieces of itself and of another input.</summary>
internal static class FuzzMutation
{
    private const int MaxLength = 4_096;

    public static string Change(string seed, string other, FuzzTarget target, Random random)
    {
        string text = seed;
        for (int changes = random.Next(1, 6); changes > 0; changes--)
        {
            text = Once(text, other, target, random);
        }

        return text.Length <= MaxLength ? text : text[..MaxLength];
    }

    private static string Once(string text, string other, FuzzTarget target, Random random)
    {
        int at = random.Next(text.Length + 1);
        int length = Math.Min(random.Next(0, 12), text.Length - at);
        return random.Next(8) switch
        {
            0 => text.Remove(at, length),
            1 => text.Insert(at, Unit(target, random)),
            2 => text.Remove(at, Math.Min(1, length)).Insert(at, Unit(target, random)),
            3 => text.Insert(at, text.Substring(at, length)),
            4 => text.Insert(at, Part(other, random)),
            5 => string.Concat(text.AsSpan(0, at), other.AsSpan(random.Next(other.Length + 1))),
            6 => text.Remove(at, length).Insert(at, target.Tokens[random.Next(target.Tokens.Length)]),
            _ => text.Insert(at, target.Tokens[random.Next(target.Tokens.Length)]),
        };
    }

    private static string Unit(FuzzTarget target, Random random) =>
        ((char)(random.Next(2) == 0 ? random.Next(0x20, 0x7F) : random.Next(target.IsOfBytes ? 0x100 : 0x1_0000))).ToString();

    private static string Part(string text, Random random)
    {
        int at = random.Next(text.Length + 1);
        return text.Substring(at, Math.Min(random.Next(0, 40), text.Length - at));
    }
}
