using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>
/// Counts the instructions that one thread runs outside the kernel (perf_event_open(2)): a figure that other work on the machine does not change. Not
/// available everywhere; then there is none.
/// </summary>
internal sealed partial class InstructionCounter : IDisposable
{
    private const int PerfEventOpen = 298; // x86-64
    private const int AttributeBytes = 112;
    private const ulong ExcludeKernelAndHypervisor = (1 << 5) | (1 << 6);

    private readonly SafeFileHandle _handle;

    private InstructionCounter(SafeFileHandle handle) => _handle = handle;

    /// <summary>A counter for the calling thread, or null.</summary>
    public static InstructionCounter? TryOpen()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return null;
        }

        Span<byte> attributes = stackalloc byte[AttributeBytes];
        attributes.Clear();
        BitConverter.TryWriteBytes(attributes[4..], AttributeBytes); // size; the type before it is 0, hardware
        BitConverter.TryWriteBytes(attributes[8..], 1UL); // instructions
        BitConverter.TryWriteBytes(attributes[40..], ExcludeKernelAndHypervisor);
        nint handle = SystemCall(PerfEventOpen, ref MemoryMarshal.GetReference(attributes), 0, -1, -1, 0);
        return handle < 0 ? null : new InstructionCounter(new SafeFileHandle(handle, ownsHandle: true));
    }

    /// <summary>Instructions so far.</summary>
    public long Read()
    {
        Span<byte> count = stackalloc byte[sizeof(long)];
        return ReadFile((int)_handle.DangerousGetHandle(), ref MemoryMarshal.GetReference(count), sizeof(long)) == sizeof(long) ? BitConverter.ToInt64(count) : 0;
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, ref byte attributes, nint process, nint processor, nint group, nint flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadFile(int handle, ref byte buffer, nint length);
}
