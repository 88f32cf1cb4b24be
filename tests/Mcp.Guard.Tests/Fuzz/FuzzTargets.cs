using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultLimit;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.Schema.JsonSchema;
using Mcp.Guard.Stages.ServerAdmission;
using Mcp.Guard.Tests.Policy;
using Mcp.Guard.Tests.Stages.Schema.JsonSchema;
using UrlAllowlist = Mcp.Guard.Stages.ServerAdmission.UrlAllowlist;

namespace Mcp.Guard.Tests.Fuzz;

/// <summary>Every parser and reader that a server, a model or a file of a user reaches.</summary>
internal static class FuzzTargets
{
    private static readonly RootSet[] Roots =
    [
        RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null),
        RootSet.Create([new GuardRoot(@"C:\work\project")], PathFlavor.Windows, links: null),
        RootSet.Create([new GuardRoot(@"\\host\share")], PathFlavor.Windows, links: null),
    ];

    private static readonly UrlAllowlist Urls = UrlAllowlist.Create(
        ["https://*", "https://mcp.example.com:8443/v1", "http://localhost:8443", "https://*.example.com", "https://127.0.0.1", "https://[::1]"]);

    private static readonly string[] JsonTokens =
        ["{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "1e999", "\\ud800", "\\udc00", "\\u0000", "//", "\xEF\xBB\xBF", "\xC0\x80", "\xED\xA0\x80", "{\"a\":1,\"a\":2}", "\n", "[[[[[[[["];

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("paths", false, static () => FuzzCorpus.Of("paths.json", "cases", "input").Select(static text => text.Replace("${ROOT}", "/srv/project", StringComparison.Ordinal)),
            ["..", "/", "\\", "%2e", "%2f", "%252e", "//", "file:///", "C:", "\\\\?\\", "\0", "\uD800", "\u202E", "~", "...", " ", ":", "NUL", "/srv/project/"], Path),
        new("urls", false, static () => FuzzCorpus.Of("urls.json", "cases", "url"),
            ["https://", "//", "@", ":", ":8443", "#", "?", "xn--", ".", "%2e", "[::1]", "127.0.0.1", "0x7f", "\u3002", "\uFF0E", "\u2044", "\\", "\t", "\0", "\uD800", "mcp.example.com"], Url),
        new("policies", true, static () => [PolicyTexts.Design, Latin1(File.ReadAllBytes(System.IO.Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json")))],
            [.. JsonTokens, "\"servers\"", "\"rules\"", "\"tools\"", "\"*\"", "{\"secret\":\"x\"}", "\"../..\"", "\"99999999999999999999d\"", "\"when\"", "\"~\""], PolicyText),
        new("schemas", true, static () => SchemaFuzz.Seeds.SelectMany(static schema => SchemaFuzz.Seeds.Select(instance => Latin1(Encoding.UTF8.GetBytes(schema)) + "\n" + Latin1(Encoding.UTF8.GetBytes(instance)))),
            [.. JsonTokens, "\"$ref\":\"#\"", "\"pattern\":\"(a*)*\"", "\"$dynamicRef\":\"#t\"", "\"not\":{}", "\"multipleOf\":1e-9", "\"enum\":[]"], Schema),
        new("messages", true, static () => [.. FuzzCorpus.Of("consent-args.json", "pairs", "a").Concat(FuzzCorpus.Of("consent-args.json", "pairs", "b")).Select(static text => Latin1(Encoding.UTF8.GetBytes(text)))],
            JsonTokens, Message),
        new("texts", false, static () => FuzzCorpus.Of("text.json", "cases", "text"),
            ["\u001B[", "\u001B]8;;", "\u202E", "\u200B", "\u200D", "\uFE0F", "\uDB40\uDC49", "\uD800", "<img src=", "javascript:", "](", "![", "&#x", ">", "\r", "\u0085", "\uFEFF", "<!--", "[a]: "], Text),
        new("secrets", false, FuzzCorpus.Secrets,
            ["password=", "-----BEGIN PRIVATE KEY-----", "-----END", "AKIA", "ghp_", "eyJ", "://u:p@", "\"", "'", "\n", "\\n", "=", "[redacted:keyed]", "\uD800", "\u200B", "Bearer "], Secret),
        new("lines", true, static () => ["\x05ab\ncd\n"], ["\n", "\r\n", "\0", "\xC3\xA9", "{}\n", "aaaaaaaa"], Lines),
        new("events", true, static () => ["\x05data: a\n\nevent: b\r\n\r\n"], ["\n", "\r", "\r\n", "\n\n", "data: ", ":", "id: 1\n"], Events),
    ];

    private static string Latin1(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    private static byte[] Bytes(string input) => Encoding.Latin1.GetBytes(input);

    // What is allowed lies inside its root, as one spelling that means the same again.
    private static void Path(string input)
    {
        foreach (RootSet set in Roots)
        {
            foreach (RootInputKind kind in (RootInputKind[])[RootInputKind.Path, RootInputKind.FileUri])
            {
                PathVerdict verdict = set.Check(input, kind);
                Hold(verdict.IsAllowed == verdict.Normalized is not null, "a verdict without its path");
                if (!verdict.IsAllowed)
                {
                    continue;
                }

                string root = set.Entries[0].Spelled, normal = verdict.Normalized!;
                char separator = set.Flavor == PathFlavor.Unix ? '/' : '\\';
                Hold(normal == root || normal.StartsWith(root + separator, StringComparison.OrdinalIgnoreCase), $"{normal} is outside {root}");
                Hold(!normal.Contains('\0', StringComparison.Ordinal) && normal.Split(separator).All(static part => part is not ("." or "..")), $"{normal} is not normal");
                PathVerdict again = set.Check(normal);
                Hold(again.IsAllowed && again.Normalized == normal, $"{normal} means something else again");
            }
        }

        RootSet.Create([new GuardRoot(input)], PathFlavor.Unix, links: null);
        RootSet.Create([new GuardRoot(input)], PathFlavor.Windows, links: null);
    }

    // An allowed URL means the same host and port to the class that sends it.
    private static void Url(string input)
    {
        UrlVerdict verdict = Urls.Check(input);
        Urls.CheckRedirect("https://mcp.example.com/a", input, out _);
        UrlAllowlist.Create([input]);
        if (!verdict.IsAllowed || !Ascii.IsValid(input))
        {
            return;
        }

        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        Hold(UrlParser.TryParse(input, buffer, out ParsedUrl parsed, out _), "allowed and not parsed");
        string host = parsed.Host.ToString();
        Hold(Uri.TryCreate(input, UriKind.Absolute, out Uri? uri), "allowed and no URL to System.Uri");
        bool isSame = uri!.IdnHost.Trim('[', ']') == host || (IPAddress.TryParse(host, out IPAddress? one) && IPAddress.TryParse(uri.IdnHost.Trim('[', ']'), out IPAddress? other) && one.Equals(other));
        Hold(isSame && uri.Port == parsed.Port && uri.UserInfo.Length == 0, $"{host} is {uri.IdnHost} to System.Uri");
    }

    private static void PolicyText(string input)
    {
        try
        {
            foreach (ServerSettings server in PolicyReader.Read(Bytes(input), null, FakeSchemas.Instance, PolicyTexts.Options).Servers.Values)
            {
                server.ForTool("read_file").Judge(default);
            }
        }
        catch (McpGuardPolicyException refused)
        {
            Hold(refused.Errors.Count > 0 && refused.Errors.All(static error => error is { Line: >= 1, Column: >= 1, Message.Length: > 0, Fix.Length: > 0 }), "refused without place, reason or fix");
        }
    }

    // A schema and an instance, apart at the last line feed: a typed answer, the same however it is asked for, in bounded memory.
    private static void Schema(string input)
    {
        int cut = input.LastIndexOf('\n');
        byte[] schema = Bytes(cut < 0 ? input : input[..cut]), instance = Bytes(cut < 0 ? "{}" : input[(cut + 1)..]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(schema, new JsonSchemaOptions { AssertFormat = true });
        if (compilation.TryGetProgram(out JsonSchemaProgram? program, out JsonSchemaRejection? rejection))
        {
            JsonSchemaResult first = program.Validate(instance), explained = program.Validate(instance, 5);
            Hold(first.Outcome != JsonSchemaOutcome.None && explained.Outcome == first.Outcome && explained.Errors.Count <= 5, $"{first.Outcome}, explained {explained.Outcome}");
        }
        else
        {
            Hold(rejection.Code.Length > 0, "refused without a code");
        }

        Hold(GC.GetAllocatedBytesForCurrentThread() - before < 8 * 1024 * 1024, "more than 8 MiB");
    }

    // What is taken can be read as a whole, has one canonical form, and is taken again from that.
    private static void Message(string input)
    {
        byte[] bytes = Bytes(input);
        if (!MessageSnapshot.TryParse(bytes, 1_000_000, out JsonElement payload, out string fault))
        {
            Hold(fault.Length > 0, "refused without a reason");
            return;
        }

        ReadStrings(payload);
        var canonical = new ArrayBufferWriter<byte>();
        JsonFault refused = CanonicalJson.TryWrite(payload, JsonLimits.Message, canonical);
        if (refused != JsonFault.None)
        {
            return;
        }

        Hold(MessageSnapshot.TryParse(canonical.WrittenSpan, 10_000_000, out JsonElement again, out fault), "the canonical form is refused: " + fault);
        var twice = new ArrayBufferWriter<byte>();
        Hold(CanonicalJson.TryWrite(again, JsonLimits.Message, twice) == JsonFault.None && twice.WrittenSpan.SequenceEqual(canonical.WrittenSpan), "a second canonical form");
        Hold(MessageSnapshot.TryTake(JsonText.NodeOf(payload), 10_000_000, out _, out fault), "not taken from a node: " + fault);
    }

    private static void ReadStrings(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    ReadStrings(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    Hold(member.Name is not null, "a member without a name");
                    ReadStrings(member.Value);
                }

                break;
        }
    }

    private static void Text(string input)
    {
        foreach (TextSurface surface in Enum.GetValues<TextSurface>())
        {
            string once = TextSanitizer.Default.Sanitize(input, surface).Text;
            Hold(once.Length <= 4 * input.Length, "longer than four times");
            Hold(ReferenceEquals(TextSanitizer.Default.Sanitize(once, surface).Text, once), $"{surface}: not clean after cleaning");
            Hold(!once.Contains('\u001B', StringComparison.Ordinal) && !once.Contains('\0', StringComparison.Ordinal), $"{surface}: a control is left");
        }
    }

    private static void Secret(string input)
    {
        string once = SecretRedactor.Default.Redact(input);
        Hold(ReferenceEquals(SecretRedactor.Default.Redact(once), once), "redacted again");
        Hold(ReferenceEquals(once, input) || once.Contains("[redacted:", StringComparison.Ordinal), "changed without saying so");
    }

    // The first byte says how long a line may be and in what pieces the rest arrives.
    private static void Lines(string input)
    {
        (int limit, int piece, byte[] bytes) = Split(input);
        (byte[] read, bool failed) = ReadAll(new BoundedLineStream(new PiecewiseStream(bytes, piece), limit));
        string[] lines = Latin1(bytes).Split('\n');
        int tooLong = Array.FindIndex(lines, line => line.Length > limit);
        byte[] expected = tooLong < 0 ? bytes : Bytes(string.Concat(lines.Take(tooLong).Select(static line => line + "\n")));
        Hold(failed == tooLong >= 0, $"failed: {failed}, the longest line has {lines.Max(static line => line.Length)} of {limit}");
        Hold(read.AsSpan().SequenceEqual(expected), "other bytes than the whole lines before the first that is too long");
    }

    // Wherever the pieces are cut, the same event fails, and what was delivered before it is what arrived.
    private static void Events(string input)
    {
        (int limit, int piece, byte[] bytes) = Split(input);
        (byte[] read, bool failed) = ReadAll(new BoundedEventStream(new PiecewiseStream(bytes, piece), limit));
        (_, bool failedWhole) = ReadAll(new BoundedEventStream(new PiecewiseStream(bytes, int.MaxValue), limit));
        Hold(failed == failedWhole, $"failed in pieces of {piece}: {failed}, whole: {failedWhole}");
        Hold(bytes.AsSpan().StartsWith(read) && (failed || read.Length == bytes.Length), "not what arrived");
        Hold(failed || bytes.Length <= limit || bytes.AsSpan().IndexOfAny((byte)'\n', (byte)'\r') >= 0, "an event that never ended passed");
    }

    private static (int Limit, int Piece, byte[] Bytes) Split(string input)
    {
        int head = input.Length == 0 ? 0 : input[0];
        return (1 + (head % 16), 1 + (head / 16), Bytes(input.Length == 0 ? input : input[1..]));
    }

    private static (byte[] Read, bool Failed) ReadAll(InboundStream stream)
    {
        using (stream)
        {
            var read = new MemoryStream();
            try
            {
                stream.CopyTo(read);
                return (read.ToArray(), false);
            }
            catch (MessageTooLargeException)
            {
                return (read.ToArray(), true);
            }
        }
    }

    private static void Hold(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
