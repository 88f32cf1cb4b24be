namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>A processor architecture with a filter. The values are the kernel's AUDIT_ARCH_ constants, which the filter compares.</summary>
internal enum SeccompArchitecture : uint
{
    None = 0,
    X64 = 0xC000003E,
    Arm64 = 0xC00000B7,
}
