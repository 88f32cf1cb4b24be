using System.Collections.Frozen;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Finds numbers that name a person's account: bank accounts (ISO 13616), payment cards (ISO/IEC 7812), United States social security
/// numbers, and the bot tokens of Telegram, which start with a number too.
/// </summary>
internal static class PersonalNumberFinder
{
    /// <summary>The longest run of digits and separators that is looked at.</summary>
    private const int MaxNumber = 48;

    /// <summary>Length of an IBAN by country (IBAN registry).</summary>
    private static readonly FrozenDictionary<string, int> IbanLengths = FrozenDictionary.ToFrozenDictionary(
        ("AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 "
            + "GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
            + "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TN24 TR26 UA29 VA22 VG24 XK20")
            .Split(' ').Select(entry => KeyValuePair.Create(entry[..2], int.Parse(entry.AsSpan(2), System.Globalization.CultureInfo.InvariantCulture))),
        StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> IbanLookup = IbanLengths.GetAlternateLookup<ReadOnlySpan<char>>();

    public static void Find(ReadOnlySpan<char> text, ref SecretMatches? matches)
    {
        int at = 0;
        while (at < text.Length)
        {
            int found = text[at..].IndexOfAnyInRange('0', '9');
            if (found < 0)
            {
                return;
            }

            int start = at + found;
            int run = text[start..].IndexOfAnyExceptInRange('0', '9');
            int end = run < 0 ? text.Length : start + run;
            int taken = Judge(text, start, end, ref matches);
            at = Math.Max(end, taken);
        }
    }

    /// <summary>A bot token of Telegram: 8 to 10 digits, a colon, 35 characters; a cut one counts too.</summary>
    private static int BotToken(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        int body = end - start is >= 8 and <= 10 ? SecretAlphabet.Run(text, end + 1, SecretAlphabet.UrlSafe) : 0;
        if (body is < 32 or > 48)
        {
            return end;
        }

        (matches ??= new()).Add(start, end + 1 + body, "telegram");
        return end + 1 + body;
    }

    /// <summary>Judges a number whose first digits are [start, end); returns the index after what was found.</summary>
    private static int Judge(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        int digits = end - start;
        char next = end < text.Length ? text[end] : '\0';
        if (start >= 2 && digits >= 2 && char.IsAsciiLetterUpper(text[start - 1]) && char.IsAsciiLetterUpper(text[start - 2]))
        {
            int iban = Iban(text, start - 2);
            if (iban > start)
            {
                (matches ??= new()).Add(start - 2, iban, "iban");
                return iban;
            }
        }

        if (start > 0 && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '_'))
        {
            // In an address of the bot interface "bot" stands before the token.
            return next == ':' && text[..start].EndsWith("bot", StringComparison.OrdinalIgnoreCase) ? BotToken(text, start, end, ref matches) : end;
        }

        if (digits == 3 && next == '-' && IsSocialSecurity(text, start))
        {
            (matches ??= new()).Add(start, start + 11, "ssn");
            return start + 11;
        }

        if (next == ':' && BotToken(text, start, end, ref matches) is int token && token > end)
        {
            return token;
        }

        if ((digits == 4 && next is ' ' or '-') || digits is >= 13 and <= 19)
        {
            int card = Card(text, start, end);
            if (card > start)
            {
                (matches ??= new()).Add(start, card, "card");
                return card;
            }
        }

        return end;
    }

    /// <summary>The index after an IBAN that starts at two capitals, or that index. Blanks may stand between groups.</summary>
    private static int Iban(ReadOnlySpan<char> text, int start)
    {
        if ((start > 0 && char.IsLetterOrDigit(text[start - 1])) || !IbanLookup.TryGetValue(text.Slice(start, 2), out int length))
        {
            return start;
        }

        int at = start;
        int count = 0;
        int remainder = 0;
        int head = 0;
        while (at < text.Length && count < length && at - start < MaxNumber)
        {
            char c = text[at];
            if (c == ' ' && count > 0 && text[at - 1] != ' ')
            {
                at++;
                continue;
            }

            if (!char.IsAsciiLetterUpper(c) && !char.IsAsciiDigit(c))
            {
                return start;
            }

            // The first four characters count last (ISO 7064, MOD 97-10).
            if (count < 4)
            {
                head = Mod97(head, c);
            }
            else
            {
                remainder = Mod97(remainder, c);
            }

            count++;
            at++;
        }

        bool whole = count == length && (at == text.Length || !char.IsLetterOrDigit(text[at]));
        if (!whole)
        {
            return start;
        }

        for (int i = 0; i < 4; i++)
        {
            remainder = Mod97(remainder, text[start + i]);
        }

        // Behind the word the number needs no check digits to be one.
        bool named = text[Math.Max(0, start - 8)..start].Contains("IBAN", StringComparison.OrdinalIgnoreCase);
        return remainder == 1 || named ? at : start;
    }

    private static int Mod97(int remainder, char c) =>
        char.IsAsciiDigit(c) ? ((remainder * 10) + c - '0') % 97 : ((remainder * 100) + c - 'A' + 10) % 97;

    /// <summary>Three, two and four digits that the administration may give out, alone.</summary>
    private static bool IsSocialSecurity(ReadOnlySpan<char> text, int start)
    {
        if (start + 11 > text.Length || text[start + 6] != '-' || (start > 0 && text[start - 1] is '-' or '.')
            || (start + 11 < text.Length && (char.IsLetterOrDigit(text[start + 11]) || text[start + 11] == '-')))
        {
            return false;
        }

        ReadOnlySpan<char> area = text.Slice(start, 3);
        ReadOnlySpan<char> group = text.Slice(start + 4, 2);
        ReadOnlySpan<char> serial = text.Slice(start + 7, 4);
        return !area.ContainsAnyExceptInRange('0', '9') && !group.ContainsAnyExceptInRange('0', '9') && !serial.ContainsAnyExceptInRange('0', '9')
            && area is not ("000" or "666") && area[0] != '9' && group is not "00" && serial is not "0000";
    }

    /// <summary>
    /// The index after a card number, or its start. Written in groups, its issuer and length decide; without groups the check digit has
    /// to hold too, since record numbers look the same.
    /// </summary>
    private static int Card(ReadOnlySpan<char> text, int start, int end)
    {
        Span<char> digits = stackalloc char[19];
        int count = 0;
        int at = start;
        char separator = '\0';
        int group = 0;
        int four = -1;
        while (at < text.Length)
        {
            char c = text[at];
            if (char.IsAsciiDigit(c))
            {
                if (count == digits.Length)
                {
                    return FourGroups(digits, start, four);
                }

                digits[count++] = c;
                group++;
            }
            else if (c is ' ' or '-' && group >= 4 && (separator is '\0' || c == separator) && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]) && end - start == 4)
            {
                four = count == 16 && group == 4 ? at : four;
                separator = c;
                group = 0;
            }
            else
            {
                break;
            }

            at++;
        }

        ReadOnlySpan<char> number = digits[..count];
        if (at < text.Length && (char.IsLetter(text[at]) || text[at] is '_' || (text[at] is '-' or '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))))
        {
            return FourGroups(digits, start, four);
        }

        return IsIssuer(number) && (separator != '\0' || Luhn(number)) ? at : FourGroups(digits, start, four);
    }

    /// <summary>A card number in four groups with more digits behind it (its expiry, another card): the check digit decides.</summary>
    private static int FourGroups(ReadOnlySpan<char> digits, int start, int end) => end > 0 && IsIssuer(digits[..16]) && Luhn(digits[..16]) ? end : start;

    private static bool IsIssuer(ReadOnlySpan<char> number) => number.Length switch
    {
        13 => number[0] == '4',
        14 => number.StartsWith("30", StringComparison.Ordinal) || number.StartsWith("36", StringComparison.Ordinal) || number.StartsWith("38", StringComparison.Ordinal),
        15 => number.StartsWith("34", StringComparison.Ordinal) || number.StartsWith("37", StringComparison.Ordinal),
        16 or 19 => number[0] == '4' || (number[0] == '5' && number[1] is >= '1' and <= '5') || (number[0] == '2' && number[1] is >= '2' and <= '7')
            || number.StartsWith("6011", StringComparison.Ordinal) || number.StartsWith("65", StringComparison.Ordinal)
            || number.StartsWith("62", StringComparison.Ordinal) || number.StartsWith("35", StringComparison.Ordinal),
        _ => false,
    };

    private static bool Luhn(ReadOnlySpan<char> number)
    {
        int sum = 0;
        for (int i = 0; i < number.Length; i++)
        {
            int digit = number[number.Length - 1 - i] - '0';
            sum += i % 2 == 0 ? digit : digit > 4 ? (2 * digit) - 9 : 2 * digit;
        }

        return sum % 10 == 0;
    }
}
