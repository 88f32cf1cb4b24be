using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>One owned Linux descriptor that no started program inherits unless the launcher hands it over (close-on-exec).</summary>
internal sealed class LinuxDescriptor : SafeHandleMinusOneIsInvalid
{
    private LinuxDescriptor(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    public int Number => (int)handle;

    /// <summary>The two ends of a new pipe.</summary>
    public static (LinuxDescriptor Read, LinuxDescriptor Write) Pipe()
    {
        int[] ends = new int[2];
        return LinuxNative.Pipe(ends, LinuxNative.OpenCloseOnExec) == 0
            ? (new LinuxDescriptor(ends[0]), new LinuxDescriptor(ends[1]))
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot make a pipe for a server process");
    }

    /// <summary>A descriptor that names the file or folder at a path, without the right to read it.</summary>
    public static LinuxDescriptor OpenPath(string path)
    {
        int descriptor = LinuxNative.Open(ToCString(path), LinuxNative.OpenPath | LinuxNative.OpenCloseOnExec);
        return descriptor >= 0
            ? new LinuxDescriptor(descriptor)
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot open {path}");
    }

    public static LinuxDescriptor OpenForReading(string path)
    {
        int descriptor = LinuxNative.Open(ToCString(path), LinuxNative.OpenReadOnly | LinuxNative.OpenCloseOnExec);
        return descriptor >= 0
            ? new LinuxDescriptor(descriptor)
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot open {path}");
    }

    /// <summary>A second descriptor for the same file with a number of at least <paramref name="lowest"/>.</summary>
    public LinuxDescriptor DuplicateAbove(int lowest)
    {
        int descriptor = LinuxNative.FileControl(Number, LinuxNative.DuplicateCloseOnExec, lowest);
        return descriptor >= 0
            ? new LinuxDescriptor(descriptor)
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot duplicate a descriptor for a server process");
    }

    /// <summary>The path the kernel gives for what this descriptor names, every link followed; null where it has none (deleted).</summary>
    public string? ResolvedPath() => new FileInfo($"/proc/self/fd/{Number}").LinkTarget;

    /// <summary>Gives the descriptor away to a pipe handle, which now owns it.</summary>
    public SafePipeHandle IntoPipeHandle()
    {
        var pipe = new SafePipeHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return pipe;
    }

    /// <summary>Gives the descriptor away to a file handle, which now owns it.</summary>
    public SafeFileHandle IntoFileHandle()
    {
        var file = new SafeFileHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return file;
    }

    public static byte[] ToCString(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    protected override bool ReleaseHandle() => LinuxNative.Close((int)handle) == 0;
}
