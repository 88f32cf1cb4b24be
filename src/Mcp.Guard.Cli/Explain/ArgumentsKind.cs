using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>arguments</c>: whether a consent for the arguments <c>a</c> would cover the arguments <c>b</c>.</summary>
internal sealed class ArgumentsKind : IExplainKind
{
    // Unlike Encoding.UTF8 it does not replace what has no UTF-8 form: a lone surrogate in the text is refused, not mended.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Name => "arguments";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        Span<byte> a = stackalloc byte[CanonicalJson.HashLength];
        Span<byte> b = stackalloc byte[CanonicalJson.HashLength];
        JsonFault first = Digest(ExplainInput.Text(input, "a"), a);
        JsonFault second = Digest(ExplainInput.Text(input, "b"), b);
        JsonFault fault = first != JsonFault.None ? first : second;
        if (fault != JsonFault.None)
        {
            output.WriteString("relation", "reject");
            output.WriteString("message", JsonAdmission.Describe(fault));
            return;
        }

        output.WriteString("relation", a.SequenceEqual(b) ? "same" : "different");
    }

    private static JsonFault Digest(string text, Span<byte> digest)
    {
        byte[] utf8;
        try
        {
            utf8 = Strict.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            return JsonFault.LoneSurrogate;
        }

        return ArgumentsDigest.TryCompute(utf8, digest);
    }
}
