namespace Mcp.Guard;

/// <summary>Reads the key of the audit's chain from the text that a secret store holds.</summary>
public static class AuditKey
{
    /// <summary>The key that a secret holds: base64 of 32 bytes or more, for example from <c>openssl rand -base64 32</c>.</summary>
    /// <param name="secret">The text of the secret; white space around it is left out.</param>
    /// <exception cref="FormatException">The text is not base64, or holds fewer bytes. The message does not hold it.</exception>
    public static ReadOnlyMemory<byte> FromSecret(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        byte[] key = new byte[(secret.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(secret.Trim(), key, out int length) || length < AuditFileOptions.MinKeyBytes)
        {
            throw new FormatException(
                $"The key of the audit must be base64 of {AuditFileOptions.MinKeyBytes} bytes or more; make one with: openssl rand -base64 32");
        }

        return key.AsMemory(0, length);
    }
}
