using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Audit;

/// <summary>Keys of a log, found by the names of their secrets as the guard itself finds them: in the environment. A key is never an argument, where other users could read it.</summary>
internal static class AuditKeys
{
    /// <exception cref="CommandFault">A secret does not exist, or holds no key.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(string option, string secret, CancellationToken ct)
    {
        string text = await new EnvironmentSecretResolver().ResolveAsync(secret, ct).ConfigureAwait(false)
            ?? throw new CommandFault(
                $"{option}: the environment has no variable '{secret}'", "Set it to the key of the log in base64, as the guard has it (audit.key of the policy names the secret).");
        try
        {
            return AuditKey.FromSecret(text);
        }
        catch (FormatException fault)
        {
            throw new CommandFault($"{option}: the variable '{secret}' holds no key. {fault.Message}", "Set the variable to the key that the log was written with.", cause: fault);
        }
    }
}
