using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// The digest of how a server is launched: command, arguments and environment. It is part of what a consent covers, so that a changed launch
/// under the same name is a new server (CVE-2025-54136).
/// </summary>
internal static class LaunchFingerprint
{
    /// <summary>SHA-256 in lower-case hexadecimal over every part with its length, so that no two launches share a text.</summary>
    public static string Compute(string command, IReadOnlyList<string> arguments, IReadOnlyList<KeyValuePair<string, string>> environment, string? binarySha256)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "mcp-guard-launch-1");
        Append(hash, command);
        Append(hash, binarySha256 ?? string.Empty);
        AppendCount(hash, arguments.Count);
        foreach (string argument in arguments)
        {
            Append(hash, argument);
        }

        AppendCount(hash, environment.Count);
        foreach ((string name, string value) in environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            Append(hash, name);
            Append(hash, value);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string text)
    {
        // The UTF-16 units as they are: an encoding would make lone surrogates equal.
        AppendCount(hash, text.Length);
        hash.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
    }

    private static void AppendCount(IncrementalHash hash, int count) => hash.AppendData(BitConverter.GetBytes(count));
}
