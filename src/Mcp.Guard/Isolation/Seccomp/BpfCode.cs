namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>The few kinds of BPF instructions that a filter needs. The values are the kernel's (linux/bpf_common.h).</summary>
internal enum BpfCode : ushort
{
    /// <summary>Loads 32 bits of the call at an offset.</summary>
    Load = 0x20,

    /// <summary>Keeps the bits of a mask.</summary>
    And = 0x54,

    /// <summary>Skips instructions.</summary>
    Jump = 0x05,

    JumpIfEqual = 0x15,

    JumpIfAtLeast = 0x35,

    /// <summary>Jumps where any bit of a mask is set.</summary>
    JumpIfAnyBit = 0x45,

    Return = 0x06,
}
