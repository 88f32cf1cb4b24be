using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Parses an ECMA-262 pattern (section 22.2.1) as with the flag <c>u</c>: code points, not code units. Outside strict mode it also accepts
/// what annex B of that standard allows and people write (a literal brace, an escaped punctuation mark); an escaped letter or digit without
/// a meaning is an error in both, because its author meant some other language's.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxNesting = 64;
    private const int MaxRepeat = 1 << 20;

    private readonly int[] _text;
    private readonly bool _strict;
    private readonly Dictionary<string, int> _named = new(StringComparer.Ordinal);
    private readonly List<string> _groupNames = [];
    private readonly List<string> _namedReferences = [];
    private int _pos;
    private int _groups;
    private int _nesting;
    private int _largestReference;
    private string? _error;

    private PatternParser(int[] text, bool strict)
    {
        _text = text;
        _strict = strict;
    }

    /// <summary>Whether the pattern looks around or back, which only the backtracking matcher can do.</summary>
    public bool NeedsBacktracking { get; private set; }

    public int Groups => _groups;

    /// <summary>Parses valid UTF-8; null with an error where it is no pattern.</summary>
    public static PatternNode? Parse(ReadOnlySpan<byte> utf8, bool strict, out PatternParser parser, out string? error)
    {
        int[] text = new int[Utf8Text.CountCodePoints(utf8)];
        int at = 0;
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = Utf8Text.CodePointAt(utf8, at, out int length);
            at += length;
        }

        parser = new PatternParser(text, strict);
        parser.ScanGroupNames();
        PatternNode? node = parser.Alternatives();
        if (node is not null && parser._pos < text.Length)
        {
            node = parser.Fail(parser.Peek() == ')' ? "a ')' without its '('" : "an unexpected character");
        }

        node = node is null ? null : parser.CheckReferences(node);
        error = parser._error;
        return node;
    }

    private PatternNode? CheckReferences(PatternNode node)
    {
        if (_largestReference > _groups)
        {
            return Fail("a back reference to a group that is not there");
        }

        foreach (string name in _namedReferences)
        {
            if (!_groupNames.Contains(name))
            {
                return Fail("a back reference to a name that is not there");
            }
        }

        return node;
    }

    /// <summary>Numbers of named groups are needed where a reference comes before its group.</summary>
    private void ScanGroupNames()
    {
        bool inClass = false;
        int number = 0;
        for (int i = 0; i < _text.Length; i++)
        {
            switch (_text[i])
            {
                case '\\':
                    i++;
                    break;
                case '[':
                    inClass = true;
                    break;
                case ']':
                    inClass = false;
                    break;
                case '(' when !inClass && At(i + 1) != '?':
                    number++;
                    break;
                case '(' when !inClass && At(i + 2) == '<' && At(i + 3) is not ('=' or '!'):
                    number++;
                    _named[NameAt(i + 3)] = number;
                    break;
                default:
                    break;
            }
        }
    }

    private string NameAt(int start)
    {
        var name = new StringBuilder();
        for (int i = start; i < _text.Length && _text[i] != '>'; i++)
        {
            name.Append(char.ConvertFromUtf32(_text[i]));
        }

        return name.ToString();
    }

    private int At(int index) => (uint)index < (uint)_text.Length ? _text[index] : -1;

    private int Peek() => At(_pos);

    private bool Take(int c)
    {
        if (Peek() != c)
        {
            return false;
        }

        _pos++;
        return true;
    }

    private PatternNode? Fail(string error)
    {
        _error ??= error;
        return null;
    }

    private PatternNode? Alternatives()
    {
        if (++_nesting > MaxNesting)
        {
            return Fail($"groups nested more than {MaxNesting} deep");
        }

        var branches = new List<PatternNode>();
        do
        {
            if (Sequence() is not { } branch)
            {
                return null;
            }

            branches.Add(branch);
        }
        while (Take('|'));

        _nesting--;
        return branches.Count == 1 ? branches[0] : new PatternNode(PatternNodeKind.Alternatives) { Children = branches };
    }

    private PatternNode? Sequence()
    {
        var terms = new List<PatternNode>();
        while (Peek() is not (-1 or '|' or ')'))
        {
            if (Term() is not { } term)
            {
                return null;
            }

            terms.Add(term);
        }

        return terms.Count switch
        {
            0 => new PatternNode(PatternNodeKind.Empty),
            1 => terms[0],
            _ => new PatternNode(PatternNodeKind.Sequence) { Children = terms },
        };
    }

    private PatternNode? Term()
    {
        int firstGroup = _groups + 1;
        int c = _text[_pos];
        switch (c)
        {
            case '^':
                _pos++;
                return new PatternNode(PatternNodeKind.Start);
            case '$':
                _pos++;
                return new PatternNode(PatternNodeKind.End);
            case '*' or '+' or '?':
                return Fail("a quantifier with nothing to repeat");
            case '(':
                bool isLook = At(_pos + 1) == '?' && (At(_pos + 2) is '=' or '!' || (At(_pos + 2) == '<' && At(_pos + 3) is '=' or '!'));
                PatternNode? group = Group();
                return group is null || isLook ? group : Quantified(group, firstGroup);
            case '\\' when At(_pos + 1) is 'b' or 'B':
                _pos += 2;
                return new PatternNode(_text[_pos - 1] == 'b' ? PatternNodeKind.WordBoundary : PatternNodeKind.NotWordBoundary);
            case '{' when _strict || Braces(_pos, out _, out _, out _):
                return Fail("a quantifier with nothing to repeat");
            case '}' or ']' when _strict:
                return Fail("a bracket without its partner");
            default:
                PatternNode? atom = Atom(c);
                return atom is null ? null : Quantified(atom, firstGroup);
        }
    }

    private PatternNode? Atom(int c)
    {
        switch (c)
        {
            case '.':
                _pos++;
                return SetNode([.. CharacterClasses.LineTerminators], 0, true);
            case '[':
                return Class();
            case '\\':
                return Escape();
            default:
                _pos++;
                return new PatternNode(PatternNodeKind.Set) { Set = CharacterSet.Of(c) };
        }
    }

    private static PatternNode SetNode(List<(int First, int Last)> ranges, uint categories, bool negated) =>
        new(PatternNodeKind.Set) { Set = CharacterSet.Of(ranges, categories, negated) };

    private PatternNode? Group()
    {
        _pos++;
        if (!Take('?'))
        {
            return Captured();
        }

        int kind = Peek();
        _pos++;
        switch (kind)
        {
            case ':':
                return Closed(Alternatives());
            case '=' or '!':
                return Look(PatternNodeKind.LookAhead, kind == '!');
            case '<' when Peek() is '=' or '!':
                _pos++;
                return Look(PatternNodeKind.LookBehind, _text[_pos - 1] == '!');
            case '<':
                string name = NameAt(_pos);
                if (!IsName(name) || At(_pos + RuneCount(name)) != '>')
                {
                    return Fail("a group name that is no identifier");
                }

                if (_groupNames.Contains(name))
                {
                    return Fail("two groups of one name");
                }

                _groupNames.Add(name);
                _pos += RuneCount(name) + 1;
                return Captured();
            default:
                return Fail("a group of a kind that ECMA-262 does not have");
        }
    }

    private PatternNode? Captured()
    {
        int number = ++_groups;
        PatternNode? inside = Closed(Alternatives());
        return inside is null ? null : new PatternNode(PatternNodeKind.Capture) { Children = [inside], Group = number };
    }

    private PatternNode? Look(PatternNodeKind kind, bool negated)
    {
        NeedsBacktracking = true;
        PatternNode? inside = Closed(Alternatives());
        return inside is null ? null : new PatternNode(kind) { Children = [inside], IsNegated = negated };
    }

    private PatternNode? Closed(PatternNode? inside) => inside is null || Take(')') ? inside : Fail("a '(' without its ')'");

    private static int RuneCount(string text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }

    private static bool IsName(string name)
    {
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (!Rune.IsLetterOrDigit(rune) && rune.Value is not ('_' or '$'))
            {
                return false;
            }
        }

        return name.Length > 0 && !char.IsDigit(name[0]);
    }

    private PatternNode? Quantified(PatternNode atom, int firstGroup)
    {
        int min;
        int max;
        switch (Peek())
        {
            case '*':
                (min, max) = (0, -1);
                _pos++;
                break;
            case '+':
                (min, max) = (1, -1);
                _pos++;
                break;
            case '?':
                (min, max) = (0, 1);
                _pos++;
                break;
            case '{' when Braces(_pos, out min, out max, out int end):
                _pos = end;
                if (max >= 0 && max < min)
                {
                    return Fail("a quantifier whose bounds are in the wrong order");
                }

                break;
            case '{' when _strict:
                return Fail("an incomplete quantifier");
            default:
                return atom;
        }

        return new PatternNode(PatternNodeKind.Repeat)
        {
            Children = [atom],
            Min = min,
            Max = max,
            IsLazy = Take('?'),
            Group = firstGroup,
            GroupEnd = _groups + 1,
        };
    }

    private bool Braces(int start, out int min, out int max, out int end)
    {
        max = -1;
        end = start + 1;
        bool any = Digits(ref end, out min);
        if (any && At(end) == ',')
        {
            end++;
            if (At(end) != '}' && !Digits(ref end, out max))
            {
                return false;
            }
        }
        else
        {
            max = min;
        }

        return any && At(end++) == '}';
    }

    private bool Digits(ref int at, out int value)
    {
        int start = at;
        value = 0;
        while (At(at) is >= '0' and <= '9')
        {
            value = Math.Min((value * 10) + (_text[at] - '0'), MaxRepeat);
            at++;
        }

        return at > start;
    }

    private PatternNode? Escape()
    {
        int c = At(_pos + 1);
        if (c is >= '1' and <= '9')
        {
            _pos++;
            Digits(ref _pos, out int number);
            NeedsBacktracking = true;
            _largestReference = Math.Max(_largestReference, number);
            return new PatternNode(PatternNodeKind.BackReference) { Group = number };
        }

        if (c == 'k')
        {
            string name = At(_pos + 2) == '<' ? NameAt(_pos + 3) : "";
            if (name.Length == 0 || At(_pos + 3 + RuneCount(name)) != '>')
            {
                return Fail("an incomplete reference to a group");
            }

            _pos += RuneCount(name) + 4;
            NeedsBacktracking = true;
            _namedReferences.Add(name);
            return new PatternNode(PatternNodeKind.BackReference) { Group = _named.GetValueOrDefault(name) };
        }

        var ranges = new List<(int, int)>();
        uint categories = 0;
        return EscapeInto(ranges, ref categories, false, out _) ? SetNode(ranges, categories, false) : null;
    }

    private PatternNode? Class()
    {
        _pos++;
        bool negated = Take('^');
        var ranges = new List<(int First, int Last)>();
        uint categories = 0;
        while (true)
        {
            if (Peek() < 0)
            {
                return Fail("a '[' without its ']'");
            }

            if (Take(']'))
            {
                return SetNode(ranges, categories, negated);
            }

            int before = ranges.Count;
            if (!ClassAtom(ranges, ref categories, out int first))
            {
                return null;
            }

            if (Peek() != '-' || At(_pos + 1) is ']' or -1)
            {
                continue;
            }

            _pos++;
            if (!ClassAtom(ranges, ref categories, out int last))
            {
                return null;
            }

            if (first < 0 || last < 0)
            {
                // [\w-x]: annex B reads the hyphen as itself.
                if (_strict)
                {
                    return Fail("a range that begins or ends with a class");
                }

                ranges.Add(('-', '-'));
            }
            else if (last < first)
            {
                return Fail("a range in the wrong order");
            }
            else
            {
                ranges.RemoveRange(before, ranges.Count - before);
                ranges.Add((first, last));
            }
        }
    }

    /// <summary>Adds one member of a class; <paramref name="single"/> is its code point, or -1 where it is a class itself.</summary>
    private bool ClassAtom(List<(int First, int Last)> ranges, ref uint categories, out int single)
    {
        int c = _text[_pos];
        if (c == '\\')
        {
            return EscapeInto(ranges, ref categories, true, out single);
        }

        _pos++;
        single = c;
        ranges.Add((c, c));
        return true;
    }

    private bool EscapeInto(List<(int First, int Last)> ranges, ref uint categories, bool inClass, out int single)
    {
        single = -1;
        int c = At(_pos + 1);
        _pos += 2;
        switch (c)
        {
            case 'd':
                ranges.AddRange(CharacterClasses.Digits);
                return true;
            case 'D':
                ranges.AddRange(CharacterClasses.Complement(CharacterClasses.Digits));
                return true;
            case 'w':
                ranges.AddRange(CharacterClasses.Words);
                return true;
            case 'W':
                ranges.AddRange(CharacterClasses.Complement(CharacterClasses.Words));
                return true;
            case 's':
                ranges.AddRange(CharacterClasses.Spaces);
                return true;
            case 'S':
                ranges.AddRange(CharacterClasses.Complement(CharacterClasses.Spaces));
                return true;
            case 'p' or 'P':
                return Property(ranges, ref categories, c == 'P');
            default:
                single = EscapedCodePoint(c, inClass);
                if (single < 0)
                {
                    return false;
                }

                ranges.Add((single, single));
                return true;
        }
    }

    private bool Property(List<(int First, int Last)> ranges, ref uint categories, bool negated)
    {
        int end = _pos;
        while (At(end) is not (-1 or '}'))
        {
            end++;
        }

        if (Peek() != '{' || At(end) != '}')
        {
            Fail("an incomplete property escape");
            return false;
        }

        var text = new StringBuilder();
        for (int i = _pos + 1; i < end; i++)
        {
            text.Append(char.ConvertFromUtf32(_text[i]));
        }

        _pos = end + 1;
        string name = text.ToString();
        int equals = name.IndexOf('=', StringComparison.Ordinal);
        bool isCategory = equals >= 0 && name[..equals] is "General_Category" or "gc";
        switch (name)
        {
            case "Any":
                ranges.AddRange(negated ? [] : CharacterClasses.Everything);
                return true;
            case "ASCII":
                ranges.Add(negated ? (0x80, CharacterSet.MaxCodePoint) : (0, 0x7F));
                return true;
            default:
                uint found = equals < 0 ? CharacterClasses.Categories(name) : isCategory ? CharacterClasses.Categories(name[(equals + 1)..]) : 0;
                if (found == 0)
                {
                    Fail("a Unicode property other than a general category, Any, Assigned or ASCII");
                    return false;
                }

                categories |= negated ? CharacterClasses.AllCategories & ~found : found;
                return true;
        }
    }

    private int EscapedCodePoint(int c, bool inClass)
    {
        switch (c)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case 'b' when inClass:
                return '\b';
            case '-' when inClass:
                return '-';
            case '0' when Peek() is not (>= '0' and <= '9'):
                return 0;
            case 'c' when Peek() is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'):
                return _text[_pos++] & 0x1F;
            case 'x':
                int byteValue = Hex(2);
                return byteValue >= 0 ? byteValue : Error("an incomplete \\x escape");
            case 'u':
                return UnicodeEscape();
            case '^' or '$' or '\\' or '.' or '*' or '+' or '?' or '(' or ')' or '[' or ']' or '{' or '}' or '|' or '/':
                return c;
            case -1:
                return Error("a '\\' at the end");
            default:
                bool isPlain = c < 128 && !char.IsAsciiLetterOrDigit((char)c) && c != '_';
                return isPlain && !_strict ? c : Error("an escape without a meaning in ECMA-262");
        }
    }

    private int UnicodeEscape()
    {
        if (Peek() == '{')
        {
            int value = 0;
            int at = _pos + 1;
            while (HexDigit(At(at)) is >= 0 and int digit)
            {
                value = Math.Min((value << 4) | digit, CharacterSet.MaxCodePoint + 1);
                at++;
            }

            if (at == _pos + 1 || At(at) != '}' || value > CharacterSet.MaxCodePoint)
            {
                return Error("an incomplete \\u escape");
            }

            _pos = at + 1;
            return value;
        }

        int unit = Hex(4);
        if (unit is >= 0xD800 and <= 0xDBFF && Peek() == '\\' && At(_pos + 1) == 'u')
        {
            int back = _pos;
            _pos += 2;
            int low = Hex(4);
            if (low is >= 0xDC00 and <= 0xDFFF)
            {
                return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            }

            _pos = back;
        }

        return unit >= 0 ? unit : Error("an incomplete \\u escape");
    }

    private int Hex(int digits)
    {
        int value = 0;
        for (int i = 0; i < digits; i++)
        {
            int digit = HexDigit(At(_pos + i));
            if (digit < 0)
            {
                return -1;
            }

            value = (value << 4) | digit;
        }

        _pos += digits;
        return value;
    }

    private static int HexDigit(int c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };

    private int Error(string error)
    {
        Fail(error);
        return -1;
    }
}
