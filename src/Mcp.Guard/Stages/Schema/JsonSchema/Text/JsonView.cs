using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A parsed text as its readers see it: the bytes, the decoded strings and the tokens.</summary>
internal readonly ref struct JsonView(ReadOnlySpan<byte> text, ReadOnlySpan<byte> decoded, ReadOnlySpan<JsonToken> tokens)
{
    public readonly ReadOnlySpan<byte> Text = text;
    public readonly ReadOnlySpan<byte> Decoded = decoded;
    public readonly ReadOnlySpan<JsonToken> Tokens = tokens;

    public JsonView(ReadOnlySpan<byte> text, JsonTape tape)
        : this(text, tape.Decoded, tape.Tokens.AsSpan(0, tape.Count))
    {
    }

    /// <summary>The bytes of a string (decoded), name, number or literal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Bytes(in JsonToken token) => (token.IsDecoded ? Decoded : Text).Slice(token.Start, token.Length);

    /// <summary>The index of the token after a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int After(int index)
    {
        ref readonly JsonToken token = ref Tokens[index];
        return token.IsContainer ? token.Link : index + 1;
    }

    /// <summary>The value of a member, or -1.</summary>
    public int Member(int objectIndex, ReadOnlySpan<byte> name)
    {
        int hash = NameHash.Of(name);
        int next = objectIndex + 1;
        for (int left = Tokens[objectIndex].Count; left > 0; left--)
        {
            ref readonly JsonToken candidate = ref Tokens[next];
            if (candidate.Link == hash && Bytes(candidate).SequenceEqual(name))
            {
                return next + 1;
            }

            next = After(next + 1);
        }

        return -1;
    }
}
