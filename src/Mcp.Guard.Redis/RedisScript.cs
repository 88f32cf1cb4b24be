using System.Reflection;

namespace Mcp.Guard.Redis;

/// <summary>The scripts, each with the part that all share before it.</summary>
internal static class RedisScript
{
    public static readonly string Epoch = Read("epoch");
    public static readonly string Rate = Read("rate");
    public static readonly string Refund = Read("refund");
    public static readonly string ConsentTake = Read("consent-take");
    public static readonly string ConsentAdd = Read("consent-add");
    public static readonly string ConsentRevoke = Read("consent-revoke");
    public static readonly string PinsRead = Read("pins-read");
    public static readonly string PinsWrite = Read("pins-write");
    public static readonly string Budget = Read("budget");
    public static readonly string HaltSet = Read("halt-set");
    public static readonly string HaltClear = Read("halt-clear");
    public static readonly string HaltRead = Read("halt-read");

    private static string Read(string name) => ReadPart("prelude") + ReadPart(name);

    private static string ReadPart(string name)
    {
        Assembly assembly = typeof(RedisScript).Assembly;
        using Stream stream = assembly.GetManifestResourceStream($"Mcp.Guard.Redis.{name}.lua")
            ?? throw new InvalidOperationException($"The script '{name}' is missing from {assembly.GetName().Name}; the package is damaged.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
