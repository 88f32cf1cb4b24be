using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Json;

/// <summary>
/// One text for every way to write the same JSON value: RFC 8785 (members ordered by UTF-16 code units, no white space, shortest escapes,
/// ECMAScript numbers), except that a number that does not survive a double is written as its literal (<see cref="JsonNumber"/>).
/// Strings are not normalised: two spellings of one character are two values.
/// </summary>
internal static class CanonicalJson
{
    /// <summary>Length of a hash in bytes.</summary>
    public const int HashLength = 32;

    private const int StackBuffer = 512;

    private const int StackMembers = 16;

    /// <summary>Writes the canonical form. A text that is refused may leave nothing or only a start in <paramref name="output"/>: use it only after <see cref="JsonFault.None"/>.</summary>
    public static JsonFault TryWrite(ReadOnlySpan<byte> json, in JsonLimits limits, IBufferWriter<byte> output)
    {
        var tape = new JsonTape(stackalloc JsonTapeNode[JsonTape.StackNodes], stackalloc int[JsonTape.StackOrder], stackalloc byte[JsonTape.StackScratch]);
        try
        {
            JsonFault fault = tape.Read(json, limits);
            if (fault == JsonFault.None)
            {
                var sink = new CanonicalSink(stackalloc byte[StackBuffer], output);
                WriteValue(in tape, 0, ref sink);
                sink.Flush();
                sink.Dispose();
            }

            return fault;
        }
        finally
        {
            tape.Dispose();
        }
    }

    /// <summary>The same for a value that a parser holds; its own text is read, not what the parser made of it.</summary>
    public static JsonFault TryWrite(JsonElement json, in JsonLimits limits, IBufferWriter<byte> output) =>
        json.ValueKind == JsonValueKind.Undefined ? JsonFault.NotJudged : TryWrite(JsonMarshal.GetRawUtf8Value(json), limits, output);

    /// <summary>SHA-256 of <paramref name="domain"/> followed by the canonical form. The domain keeps hashes of different uses apart and ends in a line feed.</summary>
    /// <param name="domain">What the hash is for, fixed by the caller.</param>
    /// <param name="json">The text.</param>
    /// <param name="limits">What is admitted.</param>
    /// <param name="hash">Receives <see cref="HashLength"/> bytes; all zero where the text is refused.</param>
    [SkipLocalsInit] // what was not written to the buffers is not read
    public static JsonFault TryHash(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> json, in JsonLimits limits, Span<byte> hash)
    {
        hash.Clear();
        var tape = new JsonTape(stackalloc JsonTapeNode[JsonTape.StackNodes], stackalloc int[JsonTape.StackOrder], stackalloc byte[JsonTape.StackScratch]);
        try
        {
            JsonFault fault = tape.Read(json, limits);
            if (fault == JsonFault.None)
            {
                var sink = new CanonicalSink(stackalloc byte[StackBuffer], output: null);
                try
                {
                    sink.Write(domain);
                    WriteValue(in tape, 0, ref sink);
                    sink.Finish(hash);
                }
                finally
                {
                    sink.Dispose();
                }
            }

            return fault;
        }
        finally
        {
            tape.Dispose();
        }
    }

    /// <summary>The same for a value that a parser holds.</summary>
    public static JsonFault TryHash(ReadOnlySpan<byte> domain, JsonElement json, in JsonLimits limits, Span<byte> hash)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            hash.Clear();
            return JsonFault.NotJudged;
        }

        return TryHash(domain, JsonMarshal.GetRawUtf8Value(json), limits, hash);
    }

    /// <summary>The same for a value of a text that was read already.</summary>
    /// <param name="domain">What the hash is for, fixed by the caller.</param>
    /// <param name="view">The reading.</param>
    /// <param name="token">The value in it.</param>
    /// <param name="hash">Receives <see cref="HashLength"/> bytes.</param>
    [SkipLocalsInit] // what was not written to the buffer is not read
    public static void Hash(ReadOnlySpan<byte> domain, in JsonView view, int token, Span<byte> hash)
    {
        var sink = new CanonicalSink(stackalloc byte[StackBuffer], output: null);
        try
        {
            sink.Write(domain);
            WriteValue(in view, token, ref sink);
            sink.Finish(hash);
        }
        finally
        {
            sink.Dispose();
        }
    }

    // Recurses once a level; the reader refuses texts deeper than MessageLimits.MaxDepth.
    private static void WriteValue(in JsonView view, int index, ref CanonicalSink sink)
    {
        ref readonly JsonToken token = ref view.Tokens[index];
        switch (token.Type)
        {
            case JsonTypes.Object:
                WriteObject(in view, index, ref sink);
                break;
            case JsonTypes.Array:
                sink.Write((byte)'[');
                for (int child = index + 1; child < token.Link; child = view.After(child))
                {
                    if (child > index + 1)
                    {
                        sink.Write((byte)',');
                    }

                    WriteValue(in view, child, ref sink);
                }

                sink.Write((byte)']');
                break;
            case JsonTypes.String when !token.IsDecoded:
                sink.Write((byte)'"');
                sink.Write(view.Bytes(in token));
                sink.Write((byte)'"');
                break;
            case JsonTypes.String:
                WriteString(view.Bytes(in token), ref sink);
                break;
            case JsonTypes.Integer or JsonTypes.Decimal:
                WriteNumber(view.Bytes(in token), ref sink);
                break;
            default:
                sink.Write(view.Bytes(in token));
                break;
        }
    }

    private static void WriteObject(in JsonView view, int index, ref CanonicalSink sink)
    {
        int count = view.Tokens[index].Count;
        int[]? rented = null;
        Span<int> names = count <= StackMembers ? stackalloc int[StackMembers] : rented = ArrayPool<int>.Shared.Rent(count);
        names = names[..count];
        int next = index + 1;
        for (int i = 0; i < count; i++)
        {
            names[i] = next;
            next = view.After(next + 1);
        }

        MemberOrder.Sort(names, new ReadNames(view));
        sink.Write((byte)'{');
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
            {
                sink.Write((byte)',');
            }

            WriteString(view.Bytes(in view.Tokens[names[i]]), ref sink);
            sink.Write((byte)':');
            WriteValue(in view, names[i] + 1, ref sink);
        }

        sink.Write((byte)'}');
        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    // Recurses once a level; the tape refuses texts deeper than JsonLimits.DepthCeiling.
    private static void WriteValue(in JsonTape tape, int index, ref CanonicalSink sink)
    {
        ref readonly JsonTapeNode node = ref tape.Nodes[index];
        switch (node.Kind)
        {
            case JsonTapeKind.Object:
                sink.Write((byte)'{');
                ReadOnlySpan<int> members = tape.Members(in node);
                for (int i = 0; i < members.Length; i++)
                {
                    if (i > 0)
                    {
                        sink.Write((byte)',');
                    }

                    ref readonly JsonTapeNode member = ref tape.Nodes[members[i]];
                    WriteString(tape.Name(in member), ref sink);
                    sink.Write((byte)':');
                    WriteValue(in tape, members[i], ref sink);
                }

                sink.Write((byte)'}');
                break;
            case JsonTapeKind.Array:
                sink.Write((byte)'[');
                for (int child = index + 1; child < node.Next; child = tape.Nodes[child].Next)
                {
                    if (child > index + 1)
                    {
                        sink.Write((byte)',');
                    }

                    WriteValue(in tape, child, ref sink);
                }

                sink.Write((byte)']');
                break;
            case JsonTapeKind.PlainString:
                sink.Write((byte)'"');
                sink.Write(tape.Value(in node));
                sink.Write((byte)'"');
                break;
            case JsonTapeKind.EscapedString:
                WriteEscapedString(tape.Value(in node), ref sink);
                break;
            case JsonTapeKind.Number:
                WriteNumber(tape.Value(in node), ref sink);
                break;
            default:
                sink.Write(tape.Value(in node));
                break;
        }
    }

    private static void WriteString(scoped ReadOnlySpan<byte> text, ref CanonicalSink sink)
    {
        sink.Write((byte)'"');
        int found = JsonEscapes.IndexOfMustEscape(text);
        if (found >= 0)
        {
            WriteWithEscapes(text, found, ref sink);
        }
        else
        {
            sink.Write(text);
        }

        sink.Write((byte)'"');
    }

    private static void WriteWithEscapes(scoped ReadOnlySpan<byte> text, int found, ref CanonicalSink sink)
    {
        Span<byte> escape = stackalloc byte[6];
        for (; found >= 0; found = JsonEscapes.IndexOfMustEscape(text))
        {
            sink.Write(text[..found]);
            sink.Write(escape[..JsonEscapes.WriteEscape(text[found], escape)]);
            text = text[(found + 1)..];
        }

        sink.Write(text);
    }

    private static void WriteEscapedString(scoped ReadOnlySpan<byte> inside, ref CanonicalSink sink)
    {
        byte[]? rented = null;
        Span<byte> plain = inside.Length <= StackBuffer / 2
            ? stackalloc byte[StackBuffer / 2]
            : rented = ArrayPool<byte>.Shared.Rent(inside.Length);
        try
        {
            // The tape has seen that every surrogate has its partner.
            JsonEscapes.TryUnescape(inside, plain, out int written);
            WriteString(plain[..written], ref sink);
            plain[..written].Clear();
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private static void WriteNumber(scoped ReadOnlySpan<byte> literal, ref CanonicalSink sink)
    {
        if (JsonNumber.IsShortInteger(literal))
        {
            sink.Write(literal);
            return;
        }

        WriteOtherNumber(literal, ref sink);
    }

    private static void WriteOtherNumber(scoped ReadOnlySpan<byte> literal, ref CanonicalSink sink)
    {
        byte[]? rented = null;
        Span<byte> room = literal.Length <= StackBuffer / 8
            ? stackalloc byte[StackBuffer / 8]
            : rented = ArrayPool<byte>.Shared.Rent(literal.Length);
        sink.Write(room[..JsonNumber.Write(literal, room)]);
        if (rented is not null)
        {
            // A long number may be a secret as well; the pool is shared by the whole process.
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>The names of a reading.</summary>
    private readonly ref struct ReadNames(JsonView view) : IMemberNames
    {
        private readonly JsonView _view = view;

        public ReadOnlySpan<byte> NameOf(int member) => _view.Bytes(in _view.Tokens[member]);
    }
}
