namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// A compiled ECMA-262 pattern over UTF-8. A search, not a whole match, as <c>pattern</c> asks. Three ways to match, by what the pattern
/// needs: a fixed row of classes, a linear simulation, and, for looking around and back, bounded backtracking. All count steps; none is
/// timed, keeps state between texts, or allocates beyond its own size.
/// </summary>
/// <remarks>
/// <see cref="System.Text.RegularExpressions"/> is not used: its classes and anchors mean other things, its linear mode keeps a cache of
/// states in the pattern object that a hostile pattern fills, and neither mode can be held to a count.
/// </remarks>
internal sealed class EcmaPattern
{
    /// <summary>The longest text, in bytes, that a pattern which looks around or back is tried on.</summary>
    private const int MaxBacktrackingText = 4_096;

    private readonly ClassRow? _row;
    private readonly PatternInstruction[] _code;
    private readonly int _registers;
    private readonly bool _backtracks;
    private readonly bool _isAnchored;

    private EcmaPattern(ClassRow? row, PatternInstruction[] code, int registers, bool backtracks, bool isAnchored)
    {
        _row = row;
        _code = code;
        _registers = registers;
        _backtracks = backtracks;
        _isAnchored = isAnchored;
    }

    /// <summary>Compiles valid UTF-8; null with the reason where it is no pattern or one too large.</summary>
    public static EcmaPattern? Compile(ReadOnlySpan<byte> utf8, out string? error)
    {
        PatternNode? root = PatternParser.Parse(utf8, false, out PatternParser parser, out error);
        if (root is null)
        {
            return null;
        }

        if (!parser.NeedsBacktracking && ClassRow.TryCreate(root) is { } row)
        {
            return new EcmaPattern(row, [], 0, false, true);
        }

        var assembler = new PatternAssembler(parser.NeedsBacktracking);
        PatternInstruction[] code = assembler.Assemble(root, parser.Groups);
        if (assembler.IsTooLarge)
        {
            error = $"written out, it has more than {PatternAssembler.MaxInstructions} parts";
            return null;
        }

        bool isAnchored = root.Kind == PatternNodeKind.Start || (root.Kind == PatternNodeKind.Sequence && root.Children[0].Kind == PatternNodeKind.Start);
        return new EcmaPattern(null, code, assembler.Registers, parser.NeedsBacktracking, isAnchored);
    }

    /// <summary>Whether a text is a pattern, in the strict form that the format <c>regex</c> asks for.</summary>
    public static bool IsPattern(ReadOnlySpan<byte> utf8) => PatternParser.Parse(utf8, true, out _, out _) is not null;

    /// <summary>Whether the pattern is found in valid UTF-8. Where the steps run out the answer is false and the caller's count negative.</summary>
    public bool IsMatch(ReadOnlySpan<byte> text, ref int steps)
    {
        if (_row is not null)
        {
            // A row looks at each byte once, at memory speed.
            steps -= text.Length >> 8;
            return steps >= 0 && _row.IsMatch(text);
        }

        if (!_backtracks)
        {
            return LinearMatcher.IsMatch(_code, _isAnchored, text, ref steps);
        }

        if (text.Length > MaxBacktrackingText)
        {
            steps = -1;
            return false;
        }

        return BacktrackingMatcher.IsMatch(_code, _registers, _isAnchored, text, ref steps);
    }
}
