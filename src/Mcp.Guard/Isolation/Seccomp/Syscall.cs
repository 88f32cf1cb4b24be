namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>One system call and its numbers; below 0 where an architecture does not have it.</summary>
internal readonly record struct Syscall(string Name, int X64, int Arm64)
{
    public int Number(SeccompArchitecture architecture) => architecture == SeccompArchitecture.X64 ? X64 : Arm64;
}
