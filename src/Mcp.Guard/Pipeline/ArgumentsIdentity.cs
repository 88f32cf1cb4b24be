using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>The identity of arguments for consent, continuations and loop detection: SHA-256 over their canonical form.</summary>
internal static class ArgumentsIdentity
{
    /// <summary>Lower-case hexadecimal; absent arguments are the same as an empty object.</summary>
    public static string Digest(JsonElement arguments)
    {
        throw new NotImplementedException();
    }
}
