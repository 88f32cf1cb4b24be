namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The JSON types as bits, so that a <c>type</c> keyword is one mask and its check one AND.</summary>
internal static class JsonTypes
{
    public const int Null = 1;
    public const int Boolean = 2;

    /// <summary>A number written without fraction and exponent. <c>"type": "integer"</c> allows only this bit; other literals are looked at by value.</summary>
    public const int Integer = 4;

    /// <summary>A number written with a fraction or an exponent.</summary>
    public const int Decimal = 8;

    public const int AnyNumber = Integer | Decimal;
    public const int String = 16;
    public const int Array = 32;
    public const int Object = 64;
    public const int All = 127;
}
