namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>One instruction of classic BPF (struct sock_filter, 8 bytes in the machine's byte order).</summary>
/// <param name="Code">What it does.</param>
/// <param name="IfTrue">Instructions skipped where a comparison holds.</param>
/// <param name="IfFalse">Instructions skipped where it does not.</param>
/// <param name="Operand">Constant, offset or answer.</param>
internal readonly record struct BpfInstruction(BpfCode Code, byte IfTrue, byte IfFalse, uint Operand);
