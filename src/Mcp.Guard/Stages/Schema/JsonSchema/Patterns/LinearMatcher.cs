using System.Buffers;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Follows all ways through a pattern at once (Thompson's construction), so that the cost is at most text times pattern, whatever both are.
/// </summary>
internal ref struct LinearMatcher
{
    /// <summary>Instructions looked at for one step of the caller's count.</summary>
    private const int WorkPerStep = 16;

    private const int SmallProgram = 128;

    private readonly ReadOnlySpan<PatternInstruction> _code;
    private readonly ReadOnlySpan<byte> _text;
    private readonly Span<int> _seen;
    private readonly Span<int> _stack;
    private Span<int> _current;
    private Span<int> _next;
    private int _currentCount;
    private int _nextCount;
    private int _round;
    private int _work;

    private LinearMatcher(ReadOnlySpan<PatternInstruction> code, ReadOnlySpan<byte> text, Span<int> memory)
    {
        int size = code.Length;
        _code = code;
        _text = text;
        _current = memory[..size];
        _next = memory.Slice(size, size);
        _seen = memory.Slice(size * 2, size);
        _stack = memory.Slice(size * 3, size);
        _seen.Clear();
    }

    public static bool IsMatch(ReadOnlySpan<PatternInstruction> code, bool isAnchored, ReadOnlySpan<byte> text, ref int steps)
    {
        int[]? rented = code.Length > SmallProgram ? ArrayPool<int>.Shared.Rent(code.Length * 4) : null;
        Span<int> memory = rented ?? stackalloc int[SmallProgram * 4];
        var matcher = new LinearMatcher(code, text, memory[..(code.Length * 4)]);
        bool found = matcher.Run(isAnchored, ref steps);
        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }

        return found;
    }

    private bool Run(bool isAnchored, ref int steps)
    {
        int at = 0;
        while (true)
        {
            _round++;
            if (at == 0)
            {
                if (Follow(0, at, ref _current, ref _currentCount))
                {
                    return true;
                }
            }

            steps -= _work / WorkPerStep;
            _work %= WorkPerStep;
            if (steps < 0 || at >= _text.Length || (isAnchored && _currentCount == 0))
            {
                return false;
            }

            int codePoint = Utf8Text.CodePointAt(_text, at, out int length);
            at += length;
            _round++;
            _nextCount = 0;
            for (int i = 0; i < _currentCount; i++)
            {
                _work++;
                ref readonly PatternInstruction instruction = ref _code[_current[i]];
                if (instruction.Set!.Contains(codePoint) && Follow(_current[i] + 1, at, ref _next, ref _nextCount))
                {
                    return true;
                }
            }

            if (!isAnchored && Follow(0, at, ref _next, ref _nextCount))
            {
                return true;
            }

            Span<int> swap = _current;
            _current = _next;
            _next = swap;
            _currentCount = _nextCount;
        }
    }

    /// <summary>Adds the class tests reachable from an instruction without consuming; true where the pattern's end is among them.</summary>
    private bool Follow(int start, int at, ref Span<int> list, ref int count)
    {
        int depth = 0;
        if (_seen[start] != _round)
        {
            _seen[start] = _round;
            _stack[depth++] = start;
        }

        while (depth > 0)
        {
            _work++;
            int pc = _stack[--depth];
            ref readonly PatternInstruction instruction = ref _code[pc];
            switch (instruction.Op)
            {
                case PatternOp.Match:
                    return true;
                case PatternOp.Set:
                    list[count++] = pc;
                    break;
                case PatternOp.Jump:
                    Push(instruction.X, ref depth);
                    break;
                case PatternOp.Split:
                    Push(instruction.X, ref depth);
                    Push(instruction.Y, ref depth);
                    break;
                default:
                    if (TextBoundary.Holds(instruction.Op, _text, at))
                    {
                        Push(pc + 1, ref depth);
                    }

                    break;
            }
        }

        return false;
    }

    private readonly void Push(int pc, ref int depth)
    {
        if (_seen[pc] != _round)
        {
            _seen[pc] = _round;
            _stack[depth++] = pc;
        }
    }
}
