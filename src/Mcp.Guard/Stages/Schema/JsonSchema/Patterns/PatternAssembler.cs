namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Turns a parsed pattern into instructions. Counted repetitions are written out, so their number is bounded.</summary>
internal sealed class PatternAssembler(bool backtracks)
{
    /// <summary>The most instructions; what a pattern may cost on one character.</summary>
    public const int MaxInstructions = 4_096;

    private readonly List<PatternInstruction> _code = [];
    private int _registers;

    public bool IsTooLarge { get; private set; }

    public int Registers => _registers;

    public PatternInstruction[] Assemble(PatternNode root, int groups)
    {
        _registers = 2 * (groups + 1);
        Emit(root, false);
        Add(new PatternInstruction(PatternOp.Match));
        return IsTooLarge ? [] : [.. _code];
    }

    private int Add(PatternInstruction instruction)
    {
        if (_code.Count >= MaxInstructions)
        {
            IsTooLarge = true;
            return 0;
        }

        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void Emit(PatternNode node, bool back)
    {
        if (IsTooLarge)
        {
            return;
        }

        switch (node.Kind)
        {
            case PatternNodeKind.Empty:
                break;
            case PatternNodeKind.Set:
                Add(new PatternInstruction(back ? PatternOp.SetBack : PatternOp.Set, Set: node.Set));
                break;
            case PatternNodeKind.Sequence:
                for (int i = 0; i < node.Children.Count; i++)
                {
                    Emit(node.Children[back ? node.Children.Count - 1 - i : i], back);
                }

                break;
            case PatternNodeKind.Alternatives:
                EmitAlternatives(node, back);
                break;
            case PatternNodeKind.Repeat:
                EmitRepeat(node, back);
                break;
            case PatternNodeKind.Capture:
                if (backtracks)
                {
                    Add(new PatternInstruction(PatternOp.Save, (node.Group * 2) + (back ? 1 : 0)));
                    Emit(node.Children[0], back);
                    Add(new PatternInstruction(PatternOp.Save, (node.Group * 2) + (back ? 0 : 1)));
                }
                else
                {
                    Emit(node.Children[0], back);
                }

                break;
            case PatternNodeKind.BackReference:
                Add(new PatternInstruction(back ? PatternOp.BackReferenceBack : PatternOp.BackReference, node.Group));
                break;
            case PatternNodeKind.Start:
                Add(new PatternInstruction(PatternOp.Start));
                break;
            case PatternNodeKind.End:
                Add(new PatternInstruction(PatternOp.End));
                break;
            case PatternNodeKind.WordBoundary:
                Add(new PatternInstruction(PatternOp.WordBoundary));
                break;
            case PatternNodeKind.NotWordBoundary:
                Add(new PatternInstruction(PatternOp.NotWordBoundary));
                break;
            default:
                int look = Add(new PatternInstruction(PatternOp.Look));
                Emit(node.Children[0], node.Kind == PatternNodeKind.LookBehind);
                Add(new PatternInstruction(PatternOp.Match));
                Patch(look, new PatternInstruction(PatternOp.Look, _code.Count, node.IsNegated ? 1 : 0));
                break;
        }
    }

    private void Patch(int at, PatternInstruction instruction)
    {
        if (!IsTooLarge)
        {
            _code[at] = instruction;
        }
    }

    private void EmitAlternatives(PatternNode node, bool back)
    {
        var ends = new List<int>();
        for (int i = 0; i < node.Children.Count - 1; i++)
        {
            int split = Add(new PatternInstruction(PatternOp.Split));
            Emit(node.Children[i], back);
            ends.Add(Add(new PatternInstruction(PatternOp.Jump)));
            Patch(split, new PatternInstruction(PatternOp.Split, split + 1, _code.Count));
        }

        Emit(node.Children[^1], back);
        foreach (int end in ends)
        {
            Patch(end, new PatternInstruction(PatternOp.Jump, _code.Count));
        }
    }

    private void EmitRepeat(PatternNode node, bool back)
    {
        PatternNode body = node.Children[0];
        for (int i = 0; i < node.Min && !IsTooLarge; i++)
        {
            EmitBody(node, body, back);
        }

        if (node.Max < 0)
        {
            EmitLoop(node, body, back);
            return;
        }

        var splits = new List<int>();
        for (int i = node.Min; i < node.Max && !IsTooLarge; i++)
        {
            splits.Add(Add(new PatternInstruction(PatternOp.Split)));
            EmitGuarded(node, body, back);
        }

        foreach (int split in splits)
        {
            Patch(split, node.IsLazy ? new PatternInstruction(PatternOp.Split, _code.Count, split + 1) : new PatternInstruction(PatternOp.Split, split + 1, _code.Count));
        }
    }

    private void EmitLoop(PatternNode node, PatternNode body, bool back)
    {
        int split = Add(new PatternInstruction(PatternOp.Split));
        EmitGuarded(node, body, back);
        Add(new PatternInstruction(PatternOp.Jump, split));
        Patch(split, node.IsLazy ? new PatternInstruction(PatternOp.Split, _code.Count, split + 1) : new PatternInstruction(PatternOp.Split, split + 1, _code.Count));
    }

    /// <summary>An optional repetition that consumes nothing is refused (ECMA-262 section 22.2.2.3.1): otherwise a loop could turn for ever.</summary>
    private void EmitGuarded(PatternNode node, PatternNode body, bool back)
    {
        if (!backtracks || !body.IsNullable)
        {
            EmitBody(node, body, back);
            return;
        }

        int register = _registers++;
        Add(new PatternInstruction(PatternOp.Save, register));
        EmitBody(node, body, back);
        Add(new PatternInstruction(PatternOp.Progress, register));
    }

    private void EmitBody(PatternNode node, PatternNode body, bool back)
    {
        if (backtracks && node.GroupEnd > node.Group)
        {
            Add(new PatternInstruction(PatternOp.Forget, node.Group * 2, node.GroupEnd * 2));
        }

        Emit(body, back);
    }
}
