using System.ComponentModel;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Reads a pipe on a thread of its own, which goes on with the reader in place: what a server answers reaches its reader by one switch of threads. The
/// runtime's own stream needs two, from the thread that watches descriptors to one of the pool, for every piece.
/// </summary>
internal sealed class PipeThreadStream : InboundStream, IValueTaskSource<int>
{
    private const int BufferBytes = 64 * 1024;

    private readonly AnonymousPipeClientStream _pipe;
    private readonly LinuxDescriptor _woken;
    private readonly LinuxDescriptor _wake;
    private readonly object _gate = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private ManualResetValueTaskSourceCore<int> _core;
    private CancellationTokenRegistration _cancelled;
    private Memory<byte> _target;
    private Exception? _fault;
    private int _start;
    private int _end;
    private bool _isRequested;
    private bool _isEnded;

    /// <summary>Owns the pipe from now on.</summary>
    public PipeThreadStream(AnonymousPipeClientStream pipe)
        : base(pipe)
    {
        _pipe = pipe;
        (_woken, _wake) = LinuxDescriptor.Pipe();
        new Thread(Run) { IsBackground = true, Name = "mcp-guard server output" }.UnsafeStart();
    }

    public override int Read(Span<byte> buffer)
    {
        byte[] read = new byte[buffer.Length];
        int count = ReadAsync(read).AsTask().GetAwaiter().GetResult();
        read.AsSpan(0, count).CopyTo(buffer);
        return count;
    }

    /// <summary>One read at a time. Goes on with the caller on the thread of the pipe.</summary>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        lock (_gate)
        {
            if (_isRequested)
            {
                throw new InvalidOperationException("the output of a server is read by one reader at a time");
            }

            if (_end > _start || buffer.IsEmpty)
            {
                return new(Take(buffer.Span));
            }

            if (_isEnded)
            {
                return _fault is null ? new(0) : ValueTask.FromException<int>(_fault);
            }

            _core.Reset();
            _target = buffer;
            _isRequested = true;
            Monitor.Pulse(_gate);
        }

        if (cancellationToken.CanBeCanceled)
        {
            _cancelled = cancellationToken.UnsafeRegister(static (stream, token) => ((PipeThreadStream)stream!).Cancel(token), this);
        }

        return new(this, _core.Version);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        _cancelled.Dispose();
        _cancelled = default;
        return _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _wake.Dispose(); // the other end sees it
            End(null, inPlace: false);
        }

        base.Dispose(disposing);
    }

    private void Run()
    {
        // While the thread may read from the descriptor its number is given to nothing else.
        bool isHeld = false;
        SafeHandle? pipe = null;
        Exception? fault = null;
        try
        {
            pipe = _pipe.SafePipeHandle; // throws where the stream was closed before its thread began
            pipe.DangerousAddRef(ref isHeld);
            while (WaitForRequest() && ReadPiece((int)pipe.DangerousGetHandle()) is > 0 and var count)
            {
                Complete(count);
            }
        }
        catch (Exception failure)
        {
            fault = failure as IOException ?? new IOException("the output of the server could not be read", failure);
        }
        finally
        {
            if (isHeld)
            {
                pipe!.DangerousRelease();
            }

            _woken.Dispose();
        }

        End(fault, inPlace: true);
    }

    private bool WaitForRequest()
    {
        lock (_gate)
        {
            while (!_isRequested && !_isEnded)
            {
                Monitor.Wait(_gate);
            }

            return !_isEnded;
        }
    }

    /// <summary>Waits for the next bytes; 0 at the end of the pipe, or where the stream was closed.</summary>
    private int ReadPiece(int pipe)
    {
        var watched = new LinuxPoll[] { new(pipe), new(_woken.Number) };
        while (true)
        {
            if (LinuxNative.Poll(watched, (nuint)watched.Length, -1) < 0)
            {
                ThrowUnlessInterrupted();
                continue;
            }

            if (watched[1].Returned != 0)
            {
                return 0;
            }

            nint count = LinuxNative.Read(pipe, _buffer, BufferBytes);
            if (count >= 0)
            {
                return (int)count;
            }

            ThrowUnlessInterrupted();
        }
    }

    private static void ThrowUnlessInterrupted()
    {
        int error = Marshal.GetLastPInvokeError();
        if (error is not (LinuxNative.ErrorInterrupted or LinuxNative.ErrorAgain))
        {
            throw new IOException("the output of the server could not be read", new Win32Exception(error));
        }
    }

    private void Complete(int count)
    {
        lock (_gate)
        {
            _start = 0;
            _end = count;
            if (!_isRequested)
            {
                return; // given up meanwhile: kept for the next read
            }

            _isRequested = false;
            count = Take(_target.Span);
            _target = default;
        }

        _core.RunContinuationsAsynchronously = false;
        _core.SetResult(count);
    }

    private void Cancel(CancellationToken token)
    {
        lock (_gate)
        {
            if (!_isRequested)
            {
                return;
            }

            _isRequested = false;
            _target = default;
        }

        _core.RunContinuationsAsynchronously = true;
        _core.SetException(new OperationCanceledException(token));
    }

    private void End(Exception? fault, bool inPlace)
    {
        lock (_gate)
        {
            if (!_isEnded)
            {
                _isEnded = true;
                _fault = fault;
                Monitor.Pulse(_gate);
            }

            if (!_isRequested)
            {
                return;
            }

            _isRequested = false;
            _target = default;
        }

        _core.RunContinuationsAsynchronously = !inPlace;
        if (_fault is { } told)
        {
            _core.SetException(told);
        }
        else
        {
            _core.SetResult(0);
        }
    }

    private int Take(Span<byte> target)
    {
        int count = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(target);
        _start += count;
        return count;
    }
}
