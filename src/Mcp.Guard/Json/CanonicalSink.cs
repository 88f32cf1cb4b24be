using System.Buffers;
using System.Security.Cryptography;

namespace Mcp.Guard.Json;

/// <summary>
/// Where a canonical text goes: a small buffer of the caller that is handed on, when full, to a writer or to a running hash.
/// A text that fits the buffer is hashed in one call and touches no other memory.
/// </summary>
internal ref struct CanonicalSink
{
    [ThreadStatic]
    private static IncrementalHash? t_kept;

    private readonly Span<byte> _buffer;
    private readonly IBufferWriter<byte>? _output;
    private IncrementalHash? _hash;
    private int _used;

    /// <summary>A sink that hands on to <paramref name="output"/>, or hashes where that is null.</summary>
    public CanonicalSink(Span<byte> buffer, IBufferWriter<byte>? output)
    {
        _buffer = buffer;
        _output = output;
    }

    public void Write(byte value)
    {
        if (_used == _buffer.Length)
        {
            Flush();
        }

        _buffer[_used++] = value;
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= _buffer.Length - _used)
        {
            bytes.CopyTo(_buffer[_used..]);
            _used += bytes.Length;
            return;
        }

        Flush();
        if (bytes.Length < _buffer.Length)
        {
            bytes.CopyTo(_buffer);
            _used = bytes.Length;
            return;
        }

        Forward(bytes);
    }

    /// <summary>Hands on what is still buffered; the last call for a sink with a writer.</summary>
    public void Flush()
    {
        if (_used > 0)
        {
            Forward(_buffer[.._used]);
            _used = 0;
        }
    }

    /// <summary>The SHA-256 of all that was written; the last call for a sink without a writer.</summary>
    public void Finish(Span<byte> hash)
    {
        if (_hash is not null)
        {
            Flush();
            _hash.GetHashAndReset(hash);
            return;
        }

        // A thread keeps one state: making it costs as much as hashing a small text. It is taken while it is used.
        IncrementalHash state = t_kept ?? IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        t_kept = null;
        state.AppendData(_buffer[.._used]);
        state.GetHashAndReset(hash);
        t_kept = state;
    }

    public void Dispose()
    {
        _hash?.Dispose();
        _hash = null;
        _buffer[.._used].Clear();
        _used = 0;
    }

    private void Forward(scoped ReadOnlySpan<byte> bytes)
    {
        if (_output is not null)
        {
            _output.Write(bytes);
            return;
        }

        _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _hash.AppendData(bytes);
    }
}
