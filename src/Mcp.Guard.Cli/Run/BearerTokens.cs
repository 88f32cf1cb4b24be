using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Mcp.Guard.Cli.Run;

/// <summary>
/// One token for each caller, of 256 random bits, made for one start and kept as digests only. A presented token is compared by its digest with every one, in a
/// time that tells nothing of either (RFC 6750; CWE-208).
/// </summary>
internal sealed class BearerTokens
{
    private const string Scheme = "Bearer ";
    private const int MaxLength = 256;

    private readonly (byte[] Digest, string Caller)[] _known;

    private BearerTokens((byte[], string)[] known) => _known = known;

    /// <summary>Makes the tokens; they are handed out here and nowhere else.</summary>
    public static BearerTokens Create(IReadOnlyList<string> callers, out IReadOnlyList<(string Caller, string Token)> tokens)
    {
        var made = new List<(string, string)>();
        var known = new List<(byte[], string)>();
        foreach (string caller in callers)
        {
            string token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            made.Add((caller, token));
            known.Add((DigestOf(token), caller));
        }

        tokens = made;
        return new BearerTokens([.. known]);
    }

    /// <summary>Whose token the header holds; null for nobody's, for none, and for more than one header.</summary>
    public string? CallerOf(StringValues authorization)
    {
        if (authorization.Count != 1 || authorization[0] is not { } header || header.Length > MaxLength || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        byte[] presented = DigestOf(header[Scheme.Length..]);
        string? caller = null;
        foreach ((byte[] digest, string name) in _known)
        {
            if (CryptographicOperations.FixedTimeEquals(presented, digest))
            {
                caller = name;
            }
        }

        return caller;
    }

    private static byte[] DigestOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
