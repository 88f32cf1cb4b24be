using System.Text;

namespace Mcp.Guard.Policy;

/// <summary>Takes secrets from the files of one folder, as container engines and orchestrators mount them: the file of the secret's exact name.</summary>
internal sealed class FileSecretResolver : ISecretResolver
{
    /// <summary>The largest secret, in bytes.</summary>
    public const int MaxBytes = 64 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _directory;

    /// <param name="directory">The folder; it should be among the paths that no server can reach.</param>
    public FileSecretResolver(string directory) => _directory = Path.GetFullPath(directory);

    public async ValueTask<string?> ResolveAsync(string name, CancellationToken ct)
    {
        // The name decides a path, so nothing but a plain name passes, whoever asks.
        if (!PolicyText.IsId(name, 128))
        {
            return null;
        }

        try
        {
            await using var file = new FileStream(Path.Combine(_directory, name), FileMode.Open, FileAccess.Read, FileShare.Read, 4_096, useAsync: true);
            byte[] buffer = new byte[MaxBytes + 1];
            int length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
            if (length > MaxBytes)
            {
                return null;
            }

            // Editors and `echo` end a file with a line end, which is no part of the secret.
            string text = Strict.GetString(buffer, 0, length).TrimEnd('\r', '\n');
            return text.Length == 0 ? null : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            return null;
        }
    }
}
