namespace Mcp.Guard;

/// <summary>Resolves the references <c>{ "secret": "name" }</c> of a policy, so that no policy holds a secret.</summary>
public interface ISecretResolver
{
    /// <summary>The secret, or null where this resolver has none of that name; a name that nothing resolves stops the connection that needs it.</summary>
    /// <param name="name">The name in the policy.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<string?> ResolveAsync(string name, CancellationToken ct);
}
