using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Mcp.Guard.Policy;

/// <summary>
/// Reads the text of a policy into located values. Strict RFC 8259: no comments, no trailing commas, no duplicate names, no lone surrogates, bounded
/// depth, size and count. Iterative, so that no document can exhaust the stack.
/// </summary>
internal static class PolicyParser
{
    /// <summary>The largest policy, in bytes.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>The deepest nesting.</summary>
    public const int MaxDepth = 96;

    /// <summary>The largest number of values.</summary>
    public const int MaxValues = 1_000_000;

    /// <summary>The length of a UTF-8 byte order mark where the text starts with one: some editors write it, and it means nothing.</summary>
    public static int ByteOrderMarkLength(ReadOnlySpan<byte> utf8) => utf8.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;

    /// <summary>The document, or null after an error that leaves nothing to read.</summary>
    public static PolicyNode? Parse(ReadOnlySpan<byte> utf8, PolicyProblems problems)
    {
        if (utf8.Length > MaxBytes)
        {
            problems.Error(0, string.Empty, $"the policy has {utf8.Length} bytes", $"At most {MaxBytes} are read");
            return null;
        }

        if (utf8.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || utf8.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            problems.Error(0, string.Empty, "the file is UTF-16", "Save it as UTF-8");
            return null;
        }

        if (!Utf8.IsValid(utf8))
        {
            problems.Error(FirstInvalidByte(utf8), string.Empty, "the file is not valid UTF-8 here", "Save it as UTF-8");
            return null;
        }

        int skipped = ByteOrderMarkLength(utf8);
        ReadOnlySpan<byte> text = utf8[skipped..];
        if (text.Trim(" \t\r\n"u8).IsEmpty)
        {
            problems.Error(0, string.Empty, "the policy is empty", "The smallest policy is {}");
            return null;
        }

        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow });
        try
        {
            return Build(ref reader, skipped, problems);
        }
        catch (JsonException e)
        {
            int offset = skipped + OffsetOf(text, e);
            problems.Error(offset, string.Empty, Explain(e, text, offset - skipped, out string fix), fix);
            return null;
        }
    }

    private static PolicyNode? Build(ref Utf8JsonReader reader, int skipped, PolicyProblems problems)
    {
        PolicyNode? root = null;
        var open = new Stack<PolicyNode>();
        string? name = null;
        int nameStart = 0;
        int values = 0;
        while (reader.Read())
        {
            int start = skipped + (int)reader.TokenStartIndex;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = Text(ref reader, start, open.Peek(), problems);
                    nameStart = start;
                    continue;
                case JsonTokenType.EndObject:
                case JsonTokenType.EndArray:
                    PolicyNode closed = open.Pop();
                    closed.End = skipped + (int)reader.BytesConsumed;
                    RefuseDuplicates(closed, problems);
                    continue;
                default:
                    break;
            }

            if (++values > MaxValues)
            {
                problems.Error(start, string.Empty, $"the policy has more than {MaxValues} values", "Split it, or remove what is not needed");
                return null;
            }

            PolicyNode? parent = open.TryPeek(out PolicyNode? top) ? top : null;
            var node = new PolicyNode(KindOf(reader.TokenType), start, parent, parent is { Kind: JsonValueKind.Object } ? name : null)
            {
                End = skipped + (int)reader.BytesConsumed,
            };
            if (parent is { Kind: JsonValueKind.Object })
            {
                parent.Members.Add(new(name!, nameStart, node));
            }
            else
            {
                parent?.Items.Add(node);
            }

            root ??= node;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    open.Push(node);
                    break;
                case JsonTokenType.String:
                    node.Text = Text(ref reader, start, node, problems);
                    break;
                case JsonTokenType.Number:
                    node.Text = Encoding.ASCII.GetString(reader.ValueSpan);
                    break;
                default:
                    break;
            }
        }

        return root;
    }

    private static string Text(ref Utf8JsonReader reader, int start, PolicyNode node, PolicyProblems problems)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // The text is valid UTF-8, so only an escaped half of a surrogate pair is left as a reason.
            problems.Error(start, node.Pointer(), "the text holds half of a surrogate pair (\\ud800 to \\udfff)", "Write the whole character");
            return string.Empty;
        }
    }

    private static void RefuseDuplicates(PolicyNode node, PolicyProblems problems)
    {
        if (node.Members.Count < 2)
        {
            return;
        }

        var seen = new HashSet<string>(node.Members.Count, StringComparer.Ordinal);
        foreach (PolicyMember member in node.Members)
        {
            if (!seen.Add(member.Name))
            {
                problems.Error(member.NameStart, member.Value.Pointer(), $"the name {PolicyText.Quote(member.Name)} appears twice in this object", "Keep one of the two");
            }
        }
    }

    private static JsonValueKind KindOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => JsonValueKind.Object,
        JsonTokenType.StartArray => JsonValueKind.Array,
        JsonTokenType.String => JsonValueKind.String,
        JsonTokenType.Number => JsonValueKind.Number,
        JsonTokenType.True => JsonValueKind.True,
        JsonTokenType.False => JsonValueKind.False,
        _ => JsonValueKind.Null,
    };

    private static string Explain(JsonException e, ReadOnlySpan<byte> text, int offset, out string fix)
    {
        ReadOnlySpan<byte> rest = text[Math.Min(offset, text.Length)..];
        if (rest.StartsWith("/"u8))
        {
            fix = "Remove it; say it in a \"description\"";
            return "comments are not part of JSON";
        }

        if ((rest.StartsWith("}"u8) || rest.StartsWith("]"u8)) && text[..offset].TrimEnd(" \t\r\n"u8).EndsWith(","u8))
        {
            fix = "Remove the comma before it";
            return "a comma stands before the end of this object or list";
        }

        fix = rest.IsEmpty ? "The text ends too early: close what is open" : "Correct the JSON here";
        int cut = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        string message = cut < 0 ? e.Message : e.Message[..cut];
        return "the policy is not JSON: " + message.TrimEnd('.');
    }

    private static int OffsetOf(ReadOnlySpan<byte> text, JsonException e)
    {
        long line = e.LineNumber ?? 0;
        int offset = 0;
        for (; line > 0; line--)
        {
            int end = text[offset..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            offset += end + 1;
        }

        return (int)Math.Min(text.Length, offset + (e.BytePositionInLine ?? 0));
    }

    private static int FirstInvalidByte(ReadOnlySpan<byte> utf8)
    {
        int offset = 0;
        while (offset < utf8.Length && Rune.DecodeFromUtf8(utf8[offset..], out _, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            offset += consumed;
        }

        return offset;
    }
}
