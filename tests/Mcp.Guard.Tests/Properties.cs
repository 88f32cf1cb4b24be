using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Mcp.Guard.Tests;

/// <summary>How properties are run: seeded, 2,000 cases, 100,000 where MCP_GUARD_LONG=1 is set, or at most as many as MCP_GUARD_CASES says (mutation tests).</summary>
internal static class Properties
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1";

    /// <summary>The most cases of a property, or none said: <see cref="int.MaxValue"/>.</summary>
    public static int Most { get; } = int.TryParse(Environment.GetEnvironmentVariable("MCP_GUARD_CASES"), System.Globalization.CultureInfo.InvariantCulture, out int most) && most > 0 ? most : int.MaxValue;

    /// <summary>Prints a string with the platform's escapes.</summary>
    public static JsonTypeInfo<string> StringInfo { get; } = (JsonTypeInfo<string>)new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }.GetTypeInfo(typeof(string));

    public static Config Config(int normal = 2_000, int longer = 100_000)
    {
        Config config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(Math.Min(Most, IsLong ? longer : normal)).WithReplay(20261122UL, 19UL);

        // A mutant is noticed by the first case that fails; nobody reads a smaller one.
        return Most == int.MaxValue ? config : config.WithEveryShrink(FuncConvert.FromFunc<FSharpList<object>, string>(static _ => throw new InvalidOperationException("a case failed")));
    }
}
