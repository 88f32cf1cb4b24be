using System.Buffers;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Tries the ways through a pattern one after the other, for patterns that look around or back. Its work and its memory are counted; where
/// either runs out the answer is no and the caller's count negative.
/// </summary>
internal ref struct BacktrackingMatcher
{
    private const int WorkPerStep = 16;

    /// <summary>The most work on one text: some milliseconds, the first time too, when the code is not yet optimised.</summary>
    private const int MaxWork = 200_000;

    private const int MaxTrail = 64 * 1024;

    /// <summary>In the trail: a register to set back, rather than a way to try.</summary>
    private const int RegisterMark = 1 << 30;

    private readonly ReadOnlySpan<PatternInstruction> _code;
    private readonly ReadOnlySpan<byte> _text;
    private readonly Span<int> _registers;
    private (int What, int Value)[] _trail;
    private int _trailCount;
    private int _work;
    private bool _exceeded;

    private BacktrackingMatcher(ReadOnlySpan<PatternInstruction> code, ReadOnlySpan<byte> text, Span<int> registers, (int What, int Value)[] trail)
    {
        _code = code;
        _text = text;
        _registers = registers;
        _trail = trail;
    }

    public static bool IsMatch(ReadOnlySpan<PatternInstruction> code, int registers, bool isAnchored, ReadOnlySpan<byte> text, ref int steps)
    {
        int[] kept = ArrayPool<int>.Shared.Rent(registers);
        (int What, int Value)[] trail = ArrayPool<(int What, int Value)>.Shared.Rent(256);
        var matcher = new BacktrackingMatcher(code, text, kept.AsSpan(0, registers), trail);
        bool found = false;
        for (int start = 0; start <= text.Length && !found && !matcher._exceeded; start++)
        {
            bool isBoundary = start == text.Length || (text[start] & 0xC0) != 0x80;
            if (isBoundary)
            {
                matcher._registers.Fill(-1);
                matcher._trailCount = 0;
                found = matcher.Run(0, start);
            }

            if (isAnchored)
            {
                break;
            }
        }

        ArrayPool<(int What, int Value)>.Shared.Return(matcher._trail);
        ArrayPool<int>.Shared.Return(kept);
        steps = matcher._exceeded ? -1 : steps - (matcher._work / WorkPerStep);
        return found && !matcher._exceeded && steps >= 0;
    }

    /// <summary>Whether the instructions from a place reach their <see cref="PatternOp.Match"/>. Leaves its choices and registers on the trail.</summary>
    private bool Run(int pc, int at)
    {
        int bottom = _trailCount;
        while (true)
        {
            if (++_work > MaxWork)
            {
                _exceeded = true;
            }

            if (_exceeded)
            {
                return false;
            }

            ref readonly PatternInstruction instruction = ref _code[pc];
            bool holds;
            switch (instruction.Op)
            {
                case PatternOp.Match:
                    return true;
                case PatternOp.Jump:
                    pc = instruction.X;
                    continue;
                case PatternOp.Split:
                    Push(instruction.Y, at);
                    pc = instruction.X;
                    continue;
                case PatternOp.Look:
                    holds = LookAround(pc, at, instruction.Y != 0);
                    if (holds)
                    {
                        pc = instruction.X;
                        continue;
                    }

                    break;
                default:
                    holds = Step(instruction, ref at);
                    break;
            }

            if (holds)
            {
                pc++;
            }
            else if (!Back(bottom, out pc, out at))
            {
                return false;
            }
        }
    }

    private bool Step(in PatternInstruction instruction, ref int at)
    {
        switch (instruction.Op)
        {
            case PatternOp.Set:
                {
                    if (at >= _text.Length)
                    {
                        return false;
                    }

                    int codePoint = Utf8Text.CodePointAt(_text, at, out int length);
                    at += length;
                    return instruction.Set!.Contains(codePoint);
                }

            case PatternOp.SetBack:
                {
                    if (at == 0)
                    {
                        return false;
                    }

                    int codePoint = Utf8Text.CodePointBefore(_text, at, out int length);
                    at -= length;
                    return instruction.Set!.Contains(codePoint);
                }

            case PatternOp.Save:
                SetRegister(instruction.X, at);
                return true;
            case PatternOp.Progress:
                return _registers[instruction.X] != at;
            case PatternOp.Forget:
                for (int register = instruction.X; register < instruction.Y; register++)
                {
                    SetRegister(register, -1);
                }

                return true;
            case PatternOp.BackReference:
            case PatternOp.BackReferenceBack:
                return SameAsGroup(instruction, ref at);
            default:
                return TextBoundary.Holds(instruction.Op, _text, at);
        }
    }

    private bool SameAsGroup(in PatternInstruction instruction, ref int at)
    {
        int from = _registers[instruction.X * 2];
        int to = _registers[(instruction.X * 2) + 1];
        if (from < 0 || to < 0)
        {
            // A group that has not taken part matches nothing, anywhere (ECMA-262 section 22.2.2.7.2).
            return true;
        }

        ReadOnlySpan<byte> group = _text[from..to];
        _work += group.Length;
        if (instruction.Op == PatternOp.BackReference)
        {
            bool follows = _text[at..].StartsWith(group);
            at += follows ? group.Length : 0;
            return follows;
        }

        bool precedes = _text[..at].EndsWith(group);
        at -= precedes ? group.Length : 0;
        return precedes;
    }

    private bool LookAround(int pc, int at, bool negated)
    {
        int bottom = _trailCount;
        bool found = Run(pc + 1, at);
        if (!found)
        {
            return negated && !_exceeded;
        }

        if (negated)
        {
            while (_trailCount > bottom)
            {
                Undo(_trail[--_trailCount]);
            }

            return false;
        }

        // What it captured stays, and is set back if a choice before it is taken again; its own choices are gone.
        int kept = bottom;
        for (int i = bottom; i < _trailCount; i++)
        {
            if ((_trail[i].What & RegisterMark) != 0)
            {
                _trail[kept++] = _trail[i];
            }
        }

        _trailCount = kept;
        return true;
    }

    private void SetRegister(int register, int value)
    {
        if (_registers[register] != value)
        {
            Push(register | RegisterMark, _registers[register]);
            _registers[register] = value;
        }
    }

    private void Push(int what, int value)
    {
        if (_trailCount == _trail.Length)
        {
            if (_trailCount >= MaxTrail)
            {
                _exceeded = true;
                return;
            }

            (int What, int Value)[] larger = ArrayPool<(int What, int Value)>.Shared.Rent(_trail.Length * 2);
            _trail.AsSpan().CopyTo(larger);
            ArrayPool<(int What, int Value)>.Shared.Return(_trail);
            _trail = larger;
        }

        _trail[_trailCount++] = (what, value);
    }

    private readonly void Undo((int What, int Value) entry)
    {
        if ((entry.What & RegisterMark) != 0)
        {
            _registers[entry.What & ~RegisterMark] = entry.Value;
        }
    }

    /// <summary>Goes back to the last way not tried, setting registers back on the way; false where there is none above the bottom.</summary>
    private bool Back(int bottom, out int pc, out int at)
    {
        while (_trailCount > bottom)
        {
            (int What, int Value) entry = _trail[--_trailCount];
            if ((entry.What & RegisterMark) == 0)
            {
                pc = entry.What;
                at = entry.Value;
                return true;
            }

            Undo(entry);
        }

        pc = 0;
        at = 0;
        return false;
    }
}
