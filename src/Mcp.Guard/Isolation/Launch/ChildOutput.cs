using System.ComponentModel;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Mcp.Guard.Stages.ResultLimit;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// The reading end of a pipe, read in either way: without holding a thread, or by one thread in reads that block. Such a read ends when the stream is closed, which
/// the runtime's stream cannot do: a process that fled with the other end would keep the thread for ever.
/// </summary>
internal sealed class ChildOutput : InboundStream
{
    private readonly SafePipeHandle _pipe;
    private readonly LinuxDescriptor _stopped;
    private readonly LinuxDescriptor _stop;

    public ChildOutput(LinuxDescriptor output)
        : this(output.IntoPipeHandle())
    {
    }

    private ChildOutput(SafePipeHandle pipe)
        : base(new AnonymousPipeClientStream(PipeDirection.In, pipe))
    {
        _pipe = pipe;
        (_stopped, _stop) = LinuxDescriptor.Pipe();
    }

    /// <summary>Waits for bytes; 0 at the end, and once the stream is closed.</summary>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        bool holdsPipe = false;
        bool holdsStop = false;
        try
        {
            // Numbers of descriptors are given again: neither may be closed while the kernel watches it.
            _pipe.DangerousAddRef(ref holdsPipe);
            _stopped.DangerousAddRef(ref holdsStop);
            LinuxPoll[] watched = [new((int)_pipe.DangerousGetHandle()), new(_stopped.Number)];
            while (true)
            {
                int ready = LinuxNative.Poll(watched, (nuint)watched.Length, -1);
                if (ready > 0 && watched[1].Returned != 0)
                {
                    return 0;
                }

                nint count = ready > 0 ? LinuxNative.Read(_pipe, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length) : -1;
                if (count >= 0)
                {
                    return (int)count;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error is not (LinuxNative.ErrorInterrupted or LinuxNative.ErrorAgain))
                {
                    throw new IOException("the output of a server process cannot be read: " + new Win32Exception(error).Message);
                }
            }
        }
        catch (ObjectDisposedException)
        {
            return 0; // closed, which is the end
        }
        finally
        {
            if (holdsStop)
            {
                _stopped.DangerousRelease();
            }

            if (holdsPipe)
            {
                _pipe.DangerousRelease();
            }
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // The other end sees that this one is closed, and wakes.
            _stop.Dispose();
            _stopped.Dispose();
        }

        base.Dispose(disposing);
    }
}
