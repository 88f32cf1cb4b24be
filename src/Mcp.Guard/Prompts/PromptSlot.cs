namespace Mcp.Guard.Prompts;

/// <summary>A declared hole of a <see cref="PromptTemplate"/>.</summary>
public sealed class PromptSlot
{
    internal PromptSlot(string name, PromptSlotType type, int maxLength)
    {
        Name = name;
        Type = type;
        MaxLength = maxLength;
    }

    /// <summary>The name between the braces: letters, digits and underscores.</summary>
    public string Name { get; }

    /// <summary>What the slot takes.</summary>
    public PromptSlotType Type { get; }

    /// <summary>The most characters of a text; 32,768 where the template says nothing.</summary>
    public int MaxLength { get; }
}
