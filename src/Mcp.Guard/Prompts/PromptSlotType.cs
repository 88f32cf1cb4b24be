namespace Mcp.Guard.Prompts;

/// <summary>What a slot of a <see cref="PromptTemplate"/> takes.</summary>
public enum PromptSlotType
{
    /// <summary>Any text; sanitised, bounded and framed.</summary>
    Text = 0,

    /// <summary>A whole number.</summary>
    WholeNumber,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,
}
