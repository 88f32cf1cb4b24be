using System.Buffers;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>Finds credentials by prefix (<see cref="TokenRules"/>) and those whose structure takes more than a prefix to tell.</summary>
internal static class TokenFinder
{
    private const string PemBegin = "-----BEGIN ";
    private const string SshBegin = "---- BEGIN SSH2 ";

    /// <summary>A shorter line of base64 is no line of a key, unless it is the last one.</summary>
    private const int MinKeyLine = 16;

    /// <summary>Room for what a frame says about its key.</summary>
    private const int MaxLabel = 64;

    /// <summary>How far behind its first line the private part of a PuTTY key is looked for: the public one of 16,384 bits has 2,800 characters.</summary>
    private const int MaxPublicPart = 8192;

    /// <summary>How far an address is followed whose password holds a character that ends the host's name.</summary>
    private const int MaxUserInformation = 256;

    private const string LicenseMark = "NRAL";
    private const string CloudMark = ".atlasv1.";
    private const string PuttyBegin = "PuTTY-User-Key-File-";

    /// <summary>How the bot tokens of Discord start: four characters of base64 hold the first three digits of a number, of which the first is none of 0.</summary>
    private static string[] DiscordStarts { get; } =
        [.. Enumerable.Range(100, 900).Select(number => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(number.ToString(System.Globalization.CultureInfo.InvariantCulture))))];

    /// <summary>What may stand before a token of an older Vault: two characters are too few to look for.</summary>
    private static string[] VaultMarks { get; } = [" ", "\"", "'", "=", ":", "`", "\n", "\t", "(", ",", ">"];

    /// <summary>What opens a structure of its own.</summary>
    private static readonly string[] Structures =
    [
        PemBegin, SshBegin, PuttyBegin, "eyJ", "://", "/services/", "/webhooks/", "/webhookb2/", "/triggers/", "/workflows/", LicenseMark, CloudMark,
        .. CommandLineFinder.Phrases, .. KeyParameterFinder.Phrases, .. DiscordStarts, .. VaultMarks.Select(mark => mark + "s."),
    ];

    /// <summary>The rules whose prefix starts with each ASCII character, longer prefixes first.</summary>
    private static readonly TokenRule[][] RulesByStart =
        [.. Enumerable.Range(0, 128).Select(start => TokenRules.All.Where(rule => rule.Prefix[0] == start).OrderByDescending(rule => rule.Prefix.Length).ToArray())];

    /// <summary>The scan takes three characters or more: a prefix of two is looked for with each character that its body can start with.</summary>
    private static readonly PhraseScan Scan = new(
        Structures.Concat(TokenRules.All.SelectMany(rule => rule.Prefix.Length > 2
            ? [rule.Prefix]
            : Enumerable.Range(0, 128).Select(c => (char)c).Where(c => rule.Alphabet.Contains(c)).Select(c => rule.Prefix + c))),
        ignoreCase: false);

    /// <summary>Structures that run through what a document shows as one word: an address, a token in base64 with dots.</summary>
    private static readonly SearchValues<char> AddressEnds = SearchValues.Create(" \t\r\n\"'<>`|\\^{}()[],;");

    public static void Find(ReadOnlySpan<char> text, ref SecretMatches? matches)
    {
        int at = text.StartsWith("s.", StringComparison.Ordinal) ? VaultToken(text, 0, ref matches) : 0;
        Span<int> read = stackalloc int[CommandLineFinder.ProgramCount + 1];
        read.Clear();
        while ((at = Scan.Next(text, at)) >= 0)
        {
            // A command or a key gives away what stands in it; whatever else stands in it is looked for as anywhere.
            CommandLineFinder.Find(text, at, read[1..], ref matches);
            KeyParameterFinder.Find(text, at, ref read[0], ref matches);
            int end = Structure(text, at, ref matches);
            if (end == at)
            {
                end = Token(text, at, ref matches);
            }

            at = Math.Max(end, at + 1);
        }

        // Two characters are too few for the scan, and rare enough for a search of their own.
        for (at = 0; text[at..].IndexOf("Q~", StringComparison.Ordinal) is >= 0 and int found;)
        {
            at += found;
            at = Math.Max(AzureSecret(text, at, ref matches), at + 2);
        }
    }

    private static int Token(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        foreach (TokenRule rule in RulesByStart[text[start]])
        {
            if (!text[start..].StartsWith(rule.Prefix, StringComparison.Ordinal)
                || (rule.Alone && start > 0 && char.IsLetterOrDigit(text[start - 1])))
            {
                continue;
            }

            int body = start + rule.Prefix.Length;
            int length = SecretAlphabet.Run(text, body, rule.Alphabet);
            if (length >= rule.MinLength && text.Slice(body, length).ContainsAnyExcept(text[body]))
            {
                (matches ??= new()).Add(start, body + length, rule.Family);
                return body + length;
            }
        }

        return start;
    }

    /// <summary>
    /// A token of older Vaults: "s.", then 24 characters. As a random value has, it holds digits and letters of both cases; a program's <c>s.Name()</c> does not or is called.
    /// </summary>
    private static int VaultToken(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        int body = start + 2;
        int length = SecretAlphabet.Run(text, body, SecretAlphabet.Alphanumeric);
        ReadOnlySpan<char> value = text.Slice(body, length);
        bool called = body + length < text.Length && text[body + length] == '(';
        if (length is < 22 or > 26 || called || !value.ContainsAnyInRange('0', '9') || !value.ContainsAnyInRange('A', 'Z') || !value.ContainsAnyInRange('a', 'z'))
        {
            return start;
        }

        (matches ??= new()).Add(start, body + length, "vault");
        return body + length;
    }

    /// <summary>The index after the structure that starts (or has its mark) at <paramref name="start"/>, or that index where there is none.</summary>
    private static int Structure(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> rest = text[start..];
        return text[start] switch
        {
            '-' when rest.StartsWith(SshBegin, StringComparison.Ordinal) => SshKey(text, start, ref matches),
            'M' or 'N' or 'O' when DiscordToken(text, start, ref matches) is int token && token > start => token,
            '-' when rest.StartsWith(PemBegin, StringComparison.Ordinal) => PrivateKey(text, start, ref matches),
            'P' when rest.StartsWith(PuttyBegin, StringComparison.Ordinal) => PuttyKey(text, start, ref matches),
            'e' when rest.StartsWith("eyJ", StringComparison.Ordinal) => WebToken(text, start, ref matches),
            ':' when rest.StartsWith("://", StringComparison.Ordinal) => UserInformation(text, start, ref matches),
            '/' => Webhook(text, start, ref matches),
            'N' when rest.StartsWith(LicenseMark, StringComparison.Ordinal) => LicenseKey(text, start, ref matches),
            '.' when rest.StartsWith(CloudMark, StringComparison.Ordinal) => CloudToken(text, start, ref matches),
            _ when rest.Length > 2 && rest[1..].StartsWith("s.", StringComparison.Ordinal) => VaultToken(text, start + 1, ref matches) is int token && token > start + 1 ? token : start,
            _ => start,
        };
    }

    /// <summary>A PEM block whose label names a private key (RFC 7468), to its end line; without one, to the end of its base64 lines.</summary>
    private static int PrivateKey(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> label = text.Slice(start + PemBegin.Length, Math.Min(MaxLabel, text.Length - start - PemBegin.Length));
        int close = label.IndexOf("-----", StringComparison.Ordinal);
        if (close < 0 || label[..close].IndexOf("PRIVATE KEY", StringComparison.Ordinal) < 0)
        {
            return start;
        }

        int body = start + PemBegin.Length + close + 5;
        int dashes = text[body..].IndexOf("-----", StringComparison.Ordinal);
        int end = EndLine(text, dashes < 0 ? text.Length : body + dashes, "-----END ", "-----");
        end = end > 0 ? end : body + KeyLines(text[body..]);
        (matches ??= new()).Add(start, end, "private-key");
        return end;
    }

    /// <summary>The index after the line that ends a key, where that is what stands at an index; otherwise 0. Where the line is cut it ends with the text's line.</summary>
    private static int EndLine(ReadOnlySpan<char> text, int at, string begin, string close)
    {
        if (!text[at..].StartsWith(begin, StringComparison.Ordinal))
        {
            return 0;
        }

        int label = at + begin.Length;
        ReadOnlySpan<char> rest = text.Slice(label, Math.Min(MaxLabel, text.Length - label));
        int line = rest.IndexOfAny('\r', '\n');
        rest = line < 0 ? rest : rest[..line];
        int end = rest.IndexOf(close, StringComparison.Ordinal);
        return end < 0 ? label + rest.Length : label + end + close.Length;
    }

    /// <summary>A private key as SSH2 programs write it (RFC 4716 has the same frame for public ones), to its end line or the end of its base64 lines.</summary>
    private static int SshKey(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> label = text.Slice(start + SshBegin.Length, Math.Min(MaxLabel, text.Length - start - SshBegin.Length));
        int close = label.IndexOf(" ----", StringComparison.Ordinal);
        if (close < 0 || label[..close].IndexOf("PRIVATE KEY", StringComparison.Ordinal) < 0)
        {
            return start;
        }

        int body = start + SshBegin.Length + close + 5;
        int dashes = text[body..].IndexOf("---- ", StringComparison.Ordinal);
        int end = EndLine(text, dashes < 0 ? text.Length : body + dashes, "---- END SSH2 ", " ----");
        end = end > 0 ? end : body + KeyLines(text[body..]);
        (matches ??= new()).Add(start, end, "private-key");
        return end;
    }

    /// <summary>A bot token of Discord: a number in base64, six characters, then 27 to 38 more, with dots between; a cut one counts too.</summary>
    private static int DiscordToken(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        if (start > 0 && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '_' or '-' or '.' or '/' or '+'))
        {
            return start;
        }

        int number = SecretAlphabet.Run(text, start, SecretAlphabet.Alphanumeric);
        int time = number is >= 22 and <= 28 && start + number < text.Length && text[start + number] == '.' ? SecretAlphabet.Run(text, start + number + 1, SecretAlphabet.UrlSafe) : 0;
        int sign = start + number + 1 + time;
        int body = time == 6 && sign < text.Length && text[sign] == '.' ? SecretAlphabet.Run(text, sign + 1, SecretAlphabet.UrlSafe) : 0;
        if (body < 20)
        {
            return start;
        }

        (matches ??= new()).Add(start, sign + 1 + body, "discord-bot");
        return sign + 1 + body;
    }

    /// <summary>
    /// How far the lines of a key go whose end is missing: headers (RFC 1421), then base64. Line ends may be written as backslash n, as in JSON or in a shell, and
    /// marks of quotations, differences and concatenations may stand before each line.
    /// </summary>
    private static int KeyLines(ReadOnlySpan<char> text)
    {
        int at = 0;
        int end = 0;
        while (at < text.Length)
        {
            int start = LineStart(text, at);
            int run = SecretAlphabet.Run(text, start, SecretAlphabet.Base64);
            int after = start + run;
            if (run > 0 && after + 1 < text.Length && text[after] == ':' && text[after + 1] == ' ')
            {
                int line = text[after..].IndexOfAny('\r', '\n', '\\');
                if (line < 0)
                {
                    return text.Length;
                }

                at = after + line;
                continue;
            }

            if (run < MinKeyLine)
            {
                // The last line of a key is as short as its rest.
                bool isLastLine = end > 0 && run > 0 && (after == text.Length || (text[after] != ' ' && LineStart(text, after) > after));
                return isLastLine ? after : end;
            }

            end = after;
            at = after;
        }

        return end;
    }

    /// <summary>The index after line ends, written or escaped, and what stands before a line.</summary>
    private static int LineStart(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length)
        {
            if (text[at] is '\r' or '\n' or ' ' or '\t' or '>' or '|' or '"' or '\'' or ',' || (text[at] == '+' && at + 1 < text.Length && text[at + 1] is ' ' or '\n'))
            {
                at++;
            }
            else if (text[at] == '\\')
            {
                int slash = at;
                while (slash < text.Length && text[slash] == '\\')
                {
                    slash++;
                }

                if (slash < text.Length && text[slash] is 'n' or 'r')
                {
                    at = slash + 1;
                    continue;
                }

                return at;
            }
            else
            {
                return at;
            }
        }

        return at;
    }

    /// <summary>A PuTTY key file goes to its Private-MAC line, or as far as the lines of its private part do. A text that only names such a file has none.</summary>
    private static int PuttyKey(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        int head = start + PuttyBegin.Length;
        ReadOnlySpan<char> rest = text.Slice(head, Math.Min(MaxPublicPart, text.Length - head));
        int next = rest.IndexOf(PuttyBegin, StringComparison.Ordinal);
        int lines = (next < 0 ? rest : rest[..next]).IndexOf("Private-Lines:", StringComparison.Ordinal);
        int count = lines < 0 ? -1 : rest[lines..].IndexOfAny('\n', '\\');
        if (count < 0)
        {
            return start;
        }

        int body = head + lines + count;
        int end = body + KeyLines(text[body..]);
        int code = LineStart(text, end);
        if (text[code..].StartsWith("Private-MAC: ", StringComparison.Ordinal))
        {
            end = code + "Private-MAC: ".Length;
            end += SecretAlphabet.Run(text, end, SecretAlphabet.Hex);
        }

        (matches ??= new()).Add(start, end, "putty");
        return end;
    }

    /// <summary>JSON web tokens (RFC 7519): base64url parts with dots between them, the first the start of a JSON object.</summary>
    private static int WebToken(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        int header = SecretAlphabet.Run(text, start, SecretAlphabet.UrlSafe);
        int end = start + header;
        int parts = 1;
        while (parts < 5 && end < text.Length && text[end] == '.')
        {
            int part = SecretAlphabet.Run(text, end + 1, SecretAlphabet.UrlSafe);
            if (part == 0 && parts < 2)
            {
                break;
            }

            end += 1 + part;
            parts++;
        }

        bool payload = parts > 1 && text[(start + header)..].StartsWith(".eyJ", StringComparison.Ordinal);
        if (header < 10 || (!payload && parts < 3) || end - start < 24)
        {
            return start + header;
        }

        (matches ??= new()).Add(start, end, "jwt");
        return end;
    }

    /// <summary>The password in scheme://user:password@host (RFC 3986 section 3.2.1), or a long user part that is a token.</summary>
    private static int UserInformation(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        int authority = start + 3;
        ReadOnlySpan<char> rest = text[authority..];
        int end = rest.IndexOfAny(AuthorityEnds);
        ReadOnlySpan<char> part = end < 0 ? rest : rest[..end];
        int at = part.LastIndexOf('@');
        if (at < 0 && end > 0 && rest[end] is '/' or '?' or '#')
        {
            at = RawPassword(rest, end);
            part = at < 0 ? part : rest;
        }

        if (at <= 0)
        {
            return start + 3;
        }

        int colon = part[..at].IndexOf(':');
        int from = colon + 1;
        ReadOnlySpan<char> secret = part[from..at];
        bool isSecret = colon >= 0 ? secret.Length > 0 && !IsPlaceholderPassword(secret) : at >= 20 && !secret.Contains('.') && secret.ContainsAnyInRange('0', '9');
        if (isSecret)
        {
            matches ??= new();
            matches.Add(authority + from, authority + at, "url-credentials");
            if (secret.ContainsAnyExcept(LowerLetters))
            {
                // "postgres" as a password is also the name of the database, the user and the product.
                matches.AddValue(secret);
            }
        }

        return authority + at;
    }

    /// <summary>
    /// Where the '@' stands behind a password with a character that should have been encoded (<c>amqp://user:a/b1@host</c>), or -1: what looks like a port is no number.
    /// </summary>
    private static int RawPassword(ReadOnlySpan<char> rest, int end)
    {
        int colon = rest[..end].IndexOf(':');
        if (colon <= 0 || rest[0] == '[' || !rest[(colon + 1)..end].ContainsAnyExceptInRange('0', '9'))
        {
            return -1;
        }

        ReadOnlySpan<char> address = rest[..Math.Min(MaxUserInformation, rest.Length)];
        int blank = address.IndexOfAny(UserInformationEnds);
        address = blank < 0 ? address : address[..blank];
        int at = address.IndexOf('@');
        return at > 0 && address[colon..at].ContainsAnyInRange('0', '9') ? at : -1;
    }

    private static readonly SearchValues<char> LowerLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz");
    private static readonly SearchValues<char> UserInformationEnds = SearchValues.Create(" \t\r\n\"'<>`\\");
    private static readonly SearchValues<char> AuthorityEnds = SearchValues.Create("/?# \t\r\n\"'<>`\\");

    private static bool IsPlaceholderPassword(ReadOnlySpan<char> secret) => secret.Length >= Placeholders.MinLength ? Placeholders.Is(secret) : secret[0] == '*';

    /// <summary>Addresses that are credentials: whoever has a webhook's URL may post.</summary>
    private static int Webhook(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        int from = Math.Max(0, mark - 64);
        ReadOnlySpan<char> before = WithoutVersion(text[from..mark]);
        (string? family, int needed) = before switch
        {
            _ when before.EndsWith("hooks.slack.com", StringComparison.OrdinalIgnoreCase)
                || before.EndsWith("hooks.slack-gov.com", StringComparison.OrdinalIgnoreCase) => ("slack-webhook", 20),
            _ when before.EndsWith("discord.com/api", StringComparison.OrdinalIgnoreCase)
                || before.EndsWith("discordapp.com/api", StringComparison.OrdinalIgnoreCase) => ("discord-webhook", 40),
            _ when before.EndsWith("webhook.office.com", StringComparison.OrdinalIgnoreCase)
                || before.EndsWith("outlook.office.com", StringComparison.OrdinalIgnoreCase) => ("teams-webhook", 40),
            _ => (null, 0),
        };

        if (family is null)
        {
            return mark;
        }

        ReadOnlySpan<char> rest = text[mark..];
        int length = rest.IndexOfAny(AddressEnds);
        length = length < 0 ? rest.Length : length;
        if (length < needed)
        {
            return mark;
        }

        int scheme = before.LastIndexOf("://", StringComparison.Ordinal);
        int start = from + Math.Max(0, before.LastIndexOfAny(AddressEnds) + 1);
        if (scheme >= 0)
        {
            start = from + scheme;
            while (start > 0 && char.IsAsciiLetter(text[start - 1]))
            {
                start--;
            }
        }

        (matches ??= new()).Add(start, mark + length, family);
        return mark + length;
    }

    /// <summary>Without a last segment such as <c>/v10</c>.</summary>
    private static ReadOnlySpan<char> WithoutVersion(ReadOnlySpan<char> address)
    {
        int slash = address.LastIndexOf('/');
        return slash >= 0 && slash + 2 < address.Length && address[slash + 1] is 'v' or 'V' && !address[(slash + 2)..].ContainsAnyExceptInRange('0', '9')
            ? address[..slash]
            : address;
    }

    /// <summary>Tokens of Terraform Cloud: 14 characters, the mark, then 60 or more; a cut one counts too.</summary>
    private static int CloudToken(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        int head = mark;
        while (head > 0 && mark - head < 20 && SecretAlphabet.Alphanumeric.Contains(text[head - 1]))
        {
            head--;
        }

        int body = mark + CloudMark.Length;
        int length = SecretAlphabet.Run(text, body, SecretAlphabet.UrlSafe);
        if (mark - head < 10 || length < 40)
        {
            return mark;
        }

        (matches ??= new()).Add(head, body + length, "terraform");
        return body + length;
    }

    /// <summary>License keys of New Relic: 36 hexadecimal digits, then the mark.</summary>
    private static int LicenseKey(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        int head = mark;
        while (head > 0 && mark - head < 40 && SecretAlphabet.Hex.Contains(text[head - 1]))
        {
            head--;
        }

        int end = mark + LicenseMark.Length;
        if (mark - head < 32)
        {
            return mark;
        }

        (matches ??= new()).Add(head, end, "newrelic");
        return end;
    }

    /// <summary>Client secrets of Microsoft Entra: three characters, a digit, "Q~", then 31 to 34 more.</summary>
    private static int AzureSecret(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        if (mark == 0 || !char.IsAsciiDigit(text[mark - 1]))
        {
            return mark;
        }

        int head = mark;
        while (head > 0 && mark - head < 4 && SecretAlphabet.Base64.Contains(text[head - 1]) && text[head - 1] != '=')
        {
            head--;
        }

        // The body last: where it counts, the search goes on behind it.
        int body = mark - head < 4 ? 0 : SecretAlphabet.Run(text, mark + 2, SecretAlphabet.Base64);
        if (body < 28)
        {
            return mark;
        }

        (matches ??= new()).Add(head, mark + 2 + body, "azure-ad");
        return mark + 2 + body;
    }
}
