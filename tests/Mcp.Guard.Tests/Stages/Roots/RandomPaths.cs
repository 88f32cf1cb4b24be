using System.Diagnostics;
using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Generators of paths that are near the edge: real names, dot segments, links, escapes and odd characters, joined at random.</summary>
internal static class RandomPaths
{
    private static readonly string[] Pieces =
    [
        "a", "b", "c", "d", "l1", "l2", "l3", "new", ".", "..", "..", "/", "/", "/", "//", "\\", "%2e", "%2f", "%5c", "%252e", "%c0%ae", "%u002e", ";", ";x",
        " ", "\"", "'", "~", "$HOME", "%TEMP%", "-", ":", "C:", "file:", "...", "\uFF0E", "\uFF0F", "\u2025", "\u200C", "\u00AD", "\u00A0", "\u2044", "\0", "\n",
        "\uD800", "NUL", "~1", "\\\\?\\", "\u202E", "e\u0301", "\U0001F600",
    ];

    public static Gen<string> Paths { get; } = Gen.Choose(0, 12).SelectMany(count => Gen.Elements(Pieces).ArrayOf(count)).Select(string.Concat);

    /// <summary>Paths of a small tree: names, links and dot segments only.</summary>
    public static Gen<string> PlainPaths { get; } = Gen.Choose(1, 8)
        .SelectMany(count => Gen.Elements("a", "b", "c", "l0", "l1", "l2", "l3", "l4", "l5", "..", ".", "new").ArrayOf(count))
        .Select(parts => string.Join('/', parts));

    /// <summary>How many cases a run has: as <see cref="Properties"/> says, so that MCP_GUARD_LONG and MCP_GUARD_CASES hold here too.</summary>
    public static int Count(int normal = 2_000) => Properties.Config(normal).MaxTest;

    /// <summary>
    /// Whether a run over random noise goes on: a fixed count, or as long as MCP_GUARD_FUZZ_MINUTES says, with the seed of MCP_GUARD_FUZZ_SEED.
    /// </summary>
    public static bool GoesOn(int done, int normal, Stopwatch since) =>
        FuzzMinutes > 0 ? since.Elapsed.TotalMinutes < FuzzMinutes : done < Count(normal);

    public static Random Seeded(int seed) => new(Read("MCP_GUARD_FUZZ_SEED") is > 0 and int given ? given : seed);

    public static Config Config(int normal = 2_000) => Properties.Config(normal).WithReplay(20_261_122, 7);

    private static int FuzzMinutes => Read("MCP_GUARD_FUZZ_MINUTES");

    private static int Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0;

    /// <summary>A text of random UTF-16 units, half of them from the pieces that parsers stumble over.</summary>
    public static string Noise(Random random, string[]? pieces = null)
    {
        var text = new StringBuilder();
        int count = random.Next(0, 40);
        for (int i = 0; i < count; i++)
        {
            switch (random.Next(4))
            {
                case 0:
                    text.Append((char)random.Next(0x10000));
                    break;
                case 1:
                    text.Append((char)random.Next(0x20, 0x7F));
                    break;
                default:
                    text.Append((pieces ?? Pieces)[random.Next((pieces ?? Pieces).Length)]);
                    break;
            }
        }

        return text.ToString();
    }
}
