using System.Buffers.Binary;

namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>
/// A piece of a BPF program that every path leaves by a return, so that pieces are put together without labels: a choice between two
/// pieces is a comparison and the two pieces one after the other.
/// </summary>
internal sealed class BpfBlock
{
    private readonly List<BpfInstruction> _instructions;

    private BpfBlock(List<BpfInstruction> instructions) => _instructions = instructions;

    public IReadOnlyList<BpfInstruction> Instructions => _instructions;

    public static BpfBlock Return(uint answer) => new([new(BpfCode.Return, 0, 0, answer)]);

    /// <summary>Loads 32 bits of the call, then goes on.</summary>
    public static BpfBlock Load(int offset, BpfBlock then) => new([new(BpfCode.Load, 0, 0, (uint)offset), .. then._instructions]);

    /// <summary>Keeps the masked bits of what is loaded, then goes on.</summary>
    public static BpfBlock Mask(uint mask, BpfBlock then) => new([new(BpfCode.And, 0, 0, mask), .. then._instructions]);

    /// <summary>Compares what is loaded.</summary>
    public static BpfBlock Choose(BpfCode comparison, uint operand, BpfBlock holds, BpfBlock fails)
    {
        int distance = fails._instructions.Count;

        // A comparison skips at most 255 instructions, a jump any number.
        List<BpfInstruction> choice = distance <= byte.MaxValue
            ? [new(comparison, (byte)distance, 0, operand)]
            : [new(comparison, 0, 1, operand), new(BpfCode.Jump, 0, 0, (uint)distance)];
        return new([.. choice, .. fails._instructions, .. holds._instructions]);
    }

    /// <summary>The program as the kernel reads it. Both architectures with a filter are little-endian.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[_instructions.Count * 8];
        for (int i = 0; i < _instructions.Count; i++)
        {
            Span<byte> at = bytes.AsSpan(i * 8, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)_instructions[i].Code);
            at[2] = _instructions[i].IfTrue;
            at[3] = _instructions[i].IfFalse;
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], _instructions[i].Operand);
        }

        return bytes;
    }
}
