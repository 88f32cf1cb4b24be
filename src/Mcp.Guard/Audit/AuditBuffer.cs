using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// Builds lines of JSON that hold printable ASCII only: everything else is escaped, so that no input can end a line, start a terminal sequence or hide
/// text from a reader, whatever that reader takes for a line end. Used by one thread.
/// </summary>
internal sealed class AuditBuffer
{
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private byte[] _bytes = new byte[64 * 1024];

    /// <summary>The number of bytes held; setting it to an earlier value takes back what was written since.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>The underlying bytes, for writing the file.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public void CutTo(int length)
    {
        Debug.Assert(length <= Length, "only what was written can be taken back");
        Length = length;
    }

    public void Raw(ReadOnlySpan<byte> ascii)
    {
        ascii.CopyTo(Room(ascii.Length));
        Length += ascii.Length;
    }

    public void Raw(byte ascii)
    {
        Room(1)[0] = ascii;
        Length++;
    }

    public void Number(long value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out int written);
        Length += written;
    }

    /// <summary>A moment in UTC with seven decimals, in quotes.</summary>
    public void Time(DateTimeOffset value)
    {
        Span<byte> room = Room(40);
        room[0] = (byte)'"';
        Utf8Formatter.TryFormat(value.UtcDateTime, room[1..], out int written, new StandardFormat('O'));
        room[written + 1] = (byte)'"';
        Length += written + 2;
    }

    public void Hex(ReadOnlySpan<byte> value)
    {
        Convert.TryToHexStringLower(value, Room(value.Length * 2), out int written);
        Length += written;
    }

    /// <summary>A JSON string. Lone surrogates, which are no text, become U+FFFD; the answer says whether there were any.</summary>
    public bool Text(ReadOnlySpan<char> value)
    {
        if (value.IndexOfAnyExcept(Plain) >= 0)
        {
            return EscapedText(value);
        }

        Span<byte> room = Room(value.Length + 2);
        room[0] = (byte)'"';
        Ascii.FromUtf16(value, room[1..], out int written);
        room[written + 1] = (byte)'"';
        Length += written + 2;
        return false;
    }

    public void Escape(char value)
    {
        Span<byte> room = Room(6);
        room[0] = (byte)'\\';
        room[1] = (byte)'u';
        for (int i = 0; i < 4; i++)
        {
            room[2 + i] = "0123456789abcdef"u8[(value >> (12 - (4 * i))) & 0xf];
        }

        Length += 6;
    }

    private bool EscapedText(ReadOnlySpan<char> value)
    {
        bool replaced = false;
        Raw((byte)'"');
        while (!value.IsEmpty)
        {
            int special = value.IndexOfAnyExcept(Plain);
            ReadOnlySpan<char> plain = special < 0 ? value : value[..special];
            if (!plain.IsEmpty)
            {
                Ascii.FromUtf16(plain, Room(plain.Length), out int written);
                Length += written;
                value = value[plain.Length..];
                continue;
            }

            char first = value[0];
            if (first is '"' or '\\')
            {
                Raw((byte)'\\');
                Raw((byte)first);
                value = value[1..];
            }
            else if (!char.IsSurrogate(first))
            {
                Escape(first);
                value = value[1..];
            }
            else if (value.Length > 1 && char.IsSurrogatePair(first, value[1]))
            {
                Escape(first);
                Escape(value[1]);
                value = value[2..];
            }
            else
            {
                replaced = true;
                Escape('\ufffd');
                value = value[1..];
            }
        }

        Raw((byte)'"');
        return replaced;
    }

    private Span<byte> Room(int size)
    {
        if (_bytes.Length - Length < size)
        {
            Array.Resize(ref _bytes, int.Max(_bytes.Length * 2, Length + size));
        }

        return _bytes.AsSpan(Length);
    }
}
