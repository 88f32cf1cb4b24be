using System.Buffers;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// A stream of server-sent events (WHATWG HTML, section 9.2): fails once a single event is longer than permitted. An event ends at an empty line; lines end
/// at CR, LF or CRLF. The whole stream may be of any length.
/// </summary>
internal sealed class BoundedEventStream(Stream inner, long maxEventBytes, Action<MessageTooLargeException>? exceeded = null)
    : BoundedReadStream(inner, exceeded)
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private long _event;
    private bool _lineIsEmpty = true;
    private bool _afterCarriageReturn;

    protected override int Admit(ReadOnlySpan<byte> arrived)
    {
        int delivered = 0;
        int position = 0;
        while (position < arrived.Length)
        {
            int length = arrived[position..].IndexOfAny(LineEnds);
            int text = length < 0 ? arrived.Length - position : length;
            if (text > 0)
            {
                _lineIsEmpty = false;
                _afterCarriageReturn = false;
            }

            position += text;
            _event += text;

            // Not between the halves of CRLF: wherever the pieces are cut, an event fails at the same byte.
            bool isSecondHalf = text == 0 && length == 0 && _afterCarriageReturn && arrived[position] == (byte)'\n';
            if (_event > maxEventBytes && !isSecondHalf)
            {
                return delivered;
            }

            if (length < 0)
            {
                break;
            }

            bool lineFeed = arrived[position] == (byte)'\n';
            position++;
            _event++;
            if (lineFeed && _afterCarriageReturn)
            {
                // The second half of CRLF: the line has ended already.
                _afterCarriageReturn = false;
                continue;
            }

            _afterCarriageReturn = !lineFeed;
            if (_lineIsEmpty)
            {
                _event = 0;
                delivered = position;
            }

            _lineIsEmpty = true;
        }

        return arrived.Length;
    }

    protected override MessageTooLargeException Exceeded() => new("a server-sent event", maxEventBytes);
}
