using System.Buffers.Binary;

namespace Mcp.Guard.Tests.Isolation;

/// <summary>Runs a filter as the kernel does, from its bytes: an independent reading of classic BPF for the tests.</summary>
internal static class BpfMachine
{
    public static uint Run(ReadOnlySpan<byte> program, uint architecture, uint number, params ulong[] arguments)
    {
        Span<byte> data = stackalloc byte[64];
        data.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], architecture);
        for (int i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + (8 * i))..], arguments[i]);
        }

        uint register = 0;
        for (int at = 0; ; at++)
        {
            ReadOnlySpan<byte> instruction = program.Slice(at * 8, 8);
            ushort code = BinaryPrimitives.ReadUInt16LittleEndian(instruction);
            uint operand = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            switch (code)
            {
                case 0x20: register = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)operand..]); break;
                case 0x54: register &= operand; break;
                case 0x05: at += (int)operand; break;
                case 0x15: at += register == operand ? instruction[2] : instruction[3]; break;
                case 0x35: at += register >= operand ? instruction[2] : instruction[3]; break;
                case 0x45: at += (register & operand) != 0 ? instruction[2] : instruction[3]; break;
                case 0x06: return operand;
                default: throw new InvalidOperationException($"code {code:x} at {at}");
            }
        }
    }
}
