namespace Mcp.Guard.Policy;

/// <summary>Asks several resolvers in turn; the first that knows a secret gives it.</summary>
internal sealed class SecretResolution(IEnumerable<ISecretResolver> resolvers) : ISecretResolver
{
    private readonly ISecretResolver[] _resolvers = [.. resolvers];

    public async ValueTask<string?> ResolveAsync(string name, CancellationToken ct)
    {
        foreach (ISecretResolver resolver in _resolvers)
        {
            if (await resolver.ResolveAsync(name, ct) is { } secret)
            {
                return secret;
            }
        }

        return null;
    }

    /// <summary>The value that a policy means; null where its secret, or the host's variable, does not exist.</summary>
    /// <param name="name">The name of the variable or header, for values taken from the host's environment.</param>
    /// <param name="value">What the policy says.</param>
    /// <param name="ct">Cancels the wait.</param>
    public async ValueTask<string?> ResolveAsync(string name, PolicyValue value, CancellationToken ct) =>
        value.Secret is not null ? await ResolveAsync(value.Secret, ct)
        : value.FromHost ? Environment.GetEnvironmentVariable(name)
        : value.Literal;
}
