using System.Runtime.InteropServices;
using System.Text;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Reads links on Linux and macOS. On Linux one openat2 call tells for most paths that there is no link at all.</summary>
internal sealed class UnixLinkReader : LinkReader
{
    /// <summary>Paths of up to this many characters fit into <see cref="ShortBytes"/>, whatever they hold: a buffer that needs little clearing.</summary>
    internal const int ShortChars = 170;

    internal const int ShortBytes = (3 * ShortChars) + 2;

    // Set once where the kernel or a sandbox does not offer openat2; the walk by readlink then does the same work in more calls.
    private volatile bool _withoutOpenAt2 = !OperatingSystem.IsLinux();

    public override LinkStatus Read(string path, out string? target)
    {
        target = null;
        Span<byte> name = stackalloc byte[PathRules.MaxUnixBytes + 1];
        if (!TryEncode(path, name, out int length))
        {
            return LinkStatus.Unreadable;
        }

        Span<byte> text = stackalloc byte[PathRules.MaxUnixBytes + 1];
        nint read = UnixCalls.ReadLink(name[..(length + 1)], text, (nuint)text.Length);
        if (read < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                UnixCalls.InvalidArgument => LinkStatus.NotALink,
                UnixCalls.NoEntry or UnixCalls.NotAFolder => LinkStatus.Missing,
                _ => LinkStatus.Unreadable,
            };
        }

        ReadOnlySpan<byte> bytes = text[..(int)read];
        if (bytes.IsEmpty || bytes.Length >= PathRules.MaxUnixBytes || !System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return LinkStatus.Unreadable;
        }

        target = Encoding.UTF8.GetString(bytes);
        return LinkStatus.Link;
    }

    public override bool IsFreeOfLinks(ReadOnlySpan<char> path)
    {
        if (_withoutOpenAt2)
        {
            return false;
        }

        Span<byte> name = path.Length <= ShortChars ? stackalloc byte[ShortBytes] : stackalloc byte[PathRules.MaxUnixBytes + 1];
        if (!TryEncode(path, name, out int length))
        {
            return false;
        }

        // Without O_NOFOLLOW: with it, a link in the last place would itself be opened instead of refused. With O_DIRECTORY the call ends in an
        // error for every file, after the whole walk, which spares the second call that closes a handle.
        var how = new UnixCalls.OpenHow
        {
            Flags = (ulong)(UnixCalls.OpenPathOnly | UnixCalls.OpenCloseOnExec | UnixCalls.OpenFolder),
            Resolve = UnixCalls.ResolveNoLinks,
        };
        nint handle = UnixCalls.OpenAt2(UnixCalls.OpenAt2Number, UnixCalls.NoFolder, name[..(length + 1)], ref how, (nuint)Marshal.SizeOf<UnixCalls.OpenHow>());
        if (handle >= 0)
        {
            UnixCalls.Close((int)handle);
            return true;
        }

        switch (Marshal.GetLastPInvokeError())
        {
            // The kernel walks from the left and refuses a link where it meets one; so what comes before the missing part holds none.
            case UnixCalls.NoEntry:
            case UnixCalls.NotAFolder:
                return true;
            case UnixCalls.NotPermitted:
            case 38: // ENOSYS
                _withoutOpenAt2 = true;
                return false;
            default:
                return false;
        }
    }

    /// <summary>Encodes a path with its closing NUL; false where it does not fit or is no text.</summary>
    internal static bool TryEncode(ReadOnlySpan<char> path, Span<byte> name, out int length)
    {
        length = 0;
        if (path.Contains('\0')
            || System.Text.Unicode.Utf8.FromUtf16(path, name[..^1], out _, out length, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        name[length] = 0;
        return true;
    }
}
