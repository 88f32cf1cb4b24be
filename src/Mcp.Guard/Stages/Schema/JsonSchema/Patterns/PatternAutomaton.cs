namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// The states of a pattern on ASCII text, worked out when it is compiled and never again: one table look-up a byte. Patterns that would
/// take too many states or too long to work out are left to <see cref="LinearMatcher"/>.
/// </summary>
internal sealed class PatternAutomaton
{
    private const int MaxInstructions = 512;
    private const int MaxStates = 160;

    /// <summary>The most work on the table: some tens of microseconds.</summary>
    private const int MaxWork = 40_000;

    private const short Dead = -1;
    private const short Found = -2;

    private readonly byte[] _classes;
    private readonly int _classCount;
    private readonly short[] _next;
    private readonly bool[] _acceptsAtEnd;
    private readonly bool _isFoundAtOnce;

    private PatternAutomaton(byte[] classes, int classCount, short[] next, bool[] acceptsAtEnd, bool isFoundAtOnce)
    {
        _classes = classes;
        _classCount = classCount;
        _next = next;
        _acceptsAtEnd = acceptsAtEnd;
        _isFoundAtOnce = isFoundAtOnce;
    }

    public static PatternAutomaton? TryCreate(PatternInstruction[] code, bool isAnchored)
    {
        if (code.Length > MaxInstructions)
        {
            return null;
        }

        foreach (ref readonly PatternInstruction instruction in code.AsSpan())
        {
            if (instruction.Op is PatternOp.WordBoundary or PatternOp.NotWordBoundary)
            {
                return null;
            }
        }

        return new Builder(code, isAnchored).Build();
    }

    /// <summary>Whether the pattern is found; unknown where the text is not ASCII up to the point that decides.</summary>
    public PatternAnswer Run(ReadOnlySpan<byte> text)
    {
        if (_isFoundAtOnce)
        {
            return PatternAnswer.Yes;
        }

        byte[] classes = _classes;
        short[] next = _next;
        int state = 0;
        foreach (byte b in text)
        {
            if (b >= 128)
            {
                return PatternAnswer.Unknown;
            }

            state = next[(state * _classCount) + classes[b]];
            if (state < 0)
            {
                return state == Found ? PatternAnswer.Yes : PatternAnswer.No;
            }
        }

        return _acceptsAtEnd[state] ? PatternAnswer.Yes : PatternAnswer.No;
    }

    /// <summary>Works out the table: states are the sets of class tests that can come next.</summary>
    private sealed class Builder(PatternInstruction[] code, bool isAnchored)
    {
        private readonly Dictionary<string, short> _known = new(StringComparer.Ordinal);
        private readonly List<int[]> _states = [];
        private readonly List<bool> _ends = [];
        private readonly bool[] _seen = new bool[code.Length];
        private readonly int[] _stack = new int[code.Length];
        private readonly List<int> _tests = [];
        private int _work;
        private bool _matched;
        private bool _matchedAtEnd;

        public PatternAutomaton? Build()
        {
            byte[] classes = Classes(out int classCount, out int[] samples);
            Begin();
            Follow(0, true);
            if (State(out bool isFoundAtOnce) < 0 && !isFoundAtOnce)
            {
                // Nothing can ever match: the general way says so as fast.
                return null;
            }

            var table = new List<short>();
            for (int state = 0; state < _states.Count; state++)
            {
                for (int c = 0; c < classCount; c++)
                {
                    if (_work > MaxWork || _states.Count > MaxStates)
                    {
                        return null;
                    }

                    table.Add(Step(state, samples[c]));
                }
            }

            return new PatternAutomaton(classes, classCount, [.. table], [.. _ends], isFoundAtOnce);
        }

        private short Step(int state, int sample)
        {
            Begin();
            foreach (int test in _states[state])
            {
                _work++;
                if (code[test].Set!.ContainsAscii(sample))
                {
                    Follow(test + 1, false);
                }
            }

            if (!isAnchored)
            {
                Follow(0, false);
            }

            short next = State(out bool found);
            return found ? Found : next;
        }

        private void Begin()
        {
            Array.Clear(_seen);
            _tests.Clear();
            _matched = false;
            _matchedAtEnd = false;
            _work += code.Length >> 4;
        }

        /// <summary>Collects the class tests reachable without consuming, and whether the end is: now, or if the text ends here.</summary>
        private void Follow(int start, bool atStart)
        {
            int depth = 0;
            var pastEnd = new List<int>();
            Push(start, ref depth);
            while (depth > 0)
            {
                _work++;
                int pc = _stack[--depth];
                ref readonly PatternInstruction instruction = ref code[pc];
                switch (instruction.Op)
                {
                    case PatternOp.Match:
                        _matched = true;
                        break;
                    case PatternOp.Set:
                        _tests.Add(pc);
                        break;
                    case PatternOp.Jump:
                        Push(instruction.X, ref depth);
                        break;
                    case PatternOp.Split:
                        Push(instruction.X, ref depth);
                        Push(instruction.Y, ref depth);
                        break;
                    case PatternOp.Start:
                        if (atStart)
                        {
                            Push(pc + 1, ref depth);
                        }

                        break;
                    default:
                        pastEnd.Add(pc + 1);
                        break;
                }
            }

            foreach (int pc in pastEnd)
            {
                _matchedAtEnd |= ReachesMatchAtEnd(pc, atStart);
            }
        }

        private bool ReachesMatchAtEnd(int start, bool atStart)
        {
            var seen = new HashSet<int> { start };
            var stack = new Stack<int>(seen);
            while (stack.TryPop(out int pc))
            {
                _work++;
                ref readonly PatternInstruction instruction = ref code[pc];
                switch (instruction.Op)
                {
                    case PatternOp.Match:
                        return true;
                    case PatternOp.Set:
                    case PatternOp.Start when !atStart:
                        break;
                    case PatternOp.Jump:
                        Visit(instruction.X);
                        break;
                    case PatternOp.Split:
                        Visit(instruction.X);
                        Visit(instruction.Y);
                        break;
                    default:
                        Visit(pc + 1);
                        break;
                }
            }

            return false;

            void Visit(int pc)
            {
                if (seen.Add(pc))
                {
                    stack.Push(pc);
                }
            }
        }

        private void Push(int pc, ref int depth)
        {
            if (!_seen[pc])
            {
                _seen[pc] = true;
                _stack[depth++] = pc;
            }
        }

        /// <summary>The number of the state just collected, a new one where it is new; <see cref="Dead"/> where nothing can follow.</summary>
        private short State(out bool found)
        {
            found = _matched;
            if (_matched || (_tests.Count == 0 && !_matchedAtEnd))
            {
                return Dead;
            }

            _tests.Sort();
            var key = new System.Text.StringBuilder(_tests.Count + 1);
            key.Append(_matchedAtEnd ? '$' : ' ');
            foreach (int test in _tests)
            {
                key.Append((char)test);
            }

            if (_known.TryGetValue(key.ToString(), out short known))
            {
                return known;
            }

            short added = (short)_states.Count;
            _known.Add(key.ToString(), added);
            _states.Add([.. _tests]);
            _ends.Add(_matchedAtEnd);
            return added;
        }

        /// <summary>Puts bytes that no test of the pattern tells apart into one class.</summary>
        private byte[] Classes(out int count, out int[] samples)
        {
            byte[] classes = new byte[128];
            count = 1;
            var split = new Dictionary<(byte Class, bool Inside), byte>();
            var done = new HashSet<CharacterSet>();
            foreach (PatternInstruction instruction in code)
            {
                if (instruction.Set is not { } set || !done.Add(set))
                {
                    continue;
                }

                _work += 128;
                split.Clear();
                for (int c = 0; c < 128; c++)
                {
                    (byte, bool) part = (classes[c], set.ContainsAscii(c));
                    if (!split.TryGetValue(part, out byte id))
                    {
                        id = (byte)split.Count;
                        split.Add(part, id);
                    }

                    classes[c] = id;
                }

                count = split.Count;
            }

            samples = new int[count];
            for (int c = 0; c < 128; c++)
            {
                samples[classes[c]] = c;
            }

            return classes;
        }
    }
}
