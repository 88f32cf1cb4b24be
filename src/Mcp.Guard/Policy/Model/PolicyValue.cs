namespace Mcp.Guard.Policy;

/// <summary>A value of an environment variable or header: written in the policy, or a reference to a secret, or taken from the host's environment.</summary>
/// <param name="Literal">The value itself, or null.</param>
/// <param name="Secret">The name of a secret, or null.</param>
/// <param name="FromHost">True where the host's variable of the same name is passed on.</param>
internal sealed record PolicyValue(string? Literal, string? Secret, bool FromHost)
{
    /// <summary>Never the value: a policy value can be printed by accident.</summary>
    public override string ToString() => Secret is not null ? $"secret {Secret}" : FromHost ? "from the host" : "literal";
}
