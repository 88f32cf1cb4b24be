namespace Mcp.Guard.Policy;

/// <summary>Takes secrets from the host's own environment: the variable of the secret's exact name.</summary>
internal sealed class EnvironmentSecretResolver : ISecretResolver
{
    public ValueTask<string?> ResolveAsync(string name, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        string? value = PolicyText.IsId(name, 128) ? Environment.GetEnvironmentVariable(name) : null;
        // An empty variable is a forgotten one: nothing that needs a secret can work with it.
        return new(string.IsNullOrEmpty(value) ? null : value);
    }
}
