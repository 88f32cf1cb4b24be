namespace Mcp.Guard.Cli.Drafts;

/// <summary>A value of a variable or header of a server that is being written into a policy.</summary>
internal sealed class DraftValue
{
    private DraftValue(string? literal, string? secret, string? known)
    {
        Literal = literal;
        Secret = secret;
        Known = known;
    }

    /// <summary>What is written into the policy; null where a reference is.</summary>
    public string? Literal { get; }

    /// <summary>The name under which the policy refers to it; null where it is written.</summary>
    public string? Secret { get; }

    /// <summary>The value itself, for starting the server once; null where only the environment has it. Never printed, never written.</summary>
    public string? Known { get; }

    public static DraftValue Written(string literal) => new(literal, null, null);

    public static DraftValue Reference(string name, string? known) => new(null, name, known);

    public DraftValue Named(string name) => new(Literal, name, Known);

    /// <summary>Never the value: it can be printed by accident.</summary>
    public override string ToString() => Secret is null ? "literal" : $"secret {Secret}";
}
