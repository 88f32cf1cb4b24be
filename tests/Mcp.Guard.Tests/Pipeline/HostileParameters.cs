using System.Text;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>Random texts of parameters: names twice and spelled with escapes, halves of surrogate pairs, odd numbers, damage. Most are JSON, not all.</summary>
internal static class HostileParameters
{
    private static readonly string[] Names =
        ["path", "p\\u0061th", "url", "limit", "a", "a/b", "~", "", "\\\"", "\\\\", "\uFB33", "\U00010000", "\uD7FF\uFFFF", "name", "arguments", "_meta", "x\\n", "sourceFile"];

    private static readonly string[] Texts =
    [
        "/etc/passwd", "a.txt", "..\\/..\\/b", "\\u002fetc", "~/.ssh", "https://evil.example/", "ht\\ntps://evil.example/", "", "\\ud83d\\ude00", "\\ud83d", "\\ude00x",
        "\\u0000", "\uFF0E\uFF0E/b", "C:\\\\x", "plain words", "\\b\\f\\n\\r\\t\\/", "\u007f\u0080\uFFFF", "0123456789abcdef0123456789abcdef\\\"",
    ];

    private static readonly string[] Others =
        ["0", "-0", "1", "1.0", "1.50", "1e3", "-12", "12345678901234567890", "1e400", "1E-7", "true", "false", "null", "{}", "[]", "01", "1.", "+1", "NaN", "tru", ""];

    public static byte[] Next(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        text.Append(Space(random)).Append('{');
        if (random.Next(3) > 0)
        {
            text.Append("\"_meta\":").Append(random.Next(3) == 0 ? Value(random, 2) : "{\"progressToken\":17,\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}").Append(',');
        }

        text.Append(random.Next(20) == 0 ? "\"n\\u0061me\"" : "\"name\"").Append(Space(random)).Append(':').Append(random.Next(12) == 0 ? Value(random, 1) : "\"edit\"");
        if (random.Next(10) > 0)
        {
            text.Append(",\"arguments\":").Append(random.Next(12) == 0 ? Value(random, 1) : Members(random, 3));
        }

        if (random.Next(6) == 0)
        {
            text.Append(',').Append('"').Append(Pick(random, Names)).Append("\":").Append(Value(random, 2));
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text.Append('}').Append(Space(random)).ToString());
        return random.Next(5) == 0 ? Damage(bytes, random) : bytes;
    }

    private static byte[] Damage(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length);
        switch (random.Next(3))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 1:
                return [.. bytes[..at], .. bytes[(at + 1)..]];
            default:
                return [.. bytes[..at], (byte)"{}[]\",:\\0eu "[random.Next(12)], .. bytes[at..]];
        }
    }

    private static string Value(Random random, int depth) => random.Next(depth > 0 ? 6 : 4) switch
    {
        0 or 1 => $"\"{Pick(random, Texts)}\"",
        2 or 3 => random.Next(10) == 0 ? Pick(random, Others) : Others[random.Next(15)],
        4 => Members(random, depth - 1),
        _ => "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth - 1))) + "]",
    };

    private static string Members(Random random, int depth)
    {
        // Now and then many, so that the sorts and checks of large objects are met too.
        int count = random.Next(25) == 0 ? random.Next(20, 80) : random.Next(5);
        var members = new List<string>();
        for (int i = 0; i < count; i++)
        {
            string name = count > 10 ? $"{Pick(random, Names)}{i}" : Pick(random, Names);
            members.Add($"{Space(random)}\"{name}\"{Space(random)}:{Space(random)}{(count > 10 ? "1" : Value(random, depth))}");
        }

        return "{" + string.Join(",", members) + Space(random) + "}";
    }

    private static string Space(Random random) => random.Next(6) == 0 ? " \n" : string.Empty;

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
