using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FsCheck;
using FsCheck.Fluent;

namespace Mcp.Guard.Tests;

/// <summary>How properties are run: seeded, 2,000 cases, or 100,000 where MCP_GUARD_LONG=1 is set.</summary>
internal static class Properties
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1";

    /// <summary>Prints a string with the platform's escapes.</summary>
    public static JsonTypeInfo<string> StringInfo { get; } = (JsonTypeInfo<string>)new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }.GetTypeInfo(typeof(string));

    public static Config Config(int normal = 2_000, int longer = 100_000) =>
        FsCheck.Config.QuickThrowOnFailure.WithMaxTest(IsLong ? longer : normal).WithReplay(20261122UL, 19UL);
}
