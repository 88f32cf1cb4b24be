namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>The standard output of a server process, one message a line (MCP, stdio transport): fails once a single line is longer than permitted.</summary>
/// <param name="inner">The standard output.</param>
/// <param name="maxLineBytes">The longest line in bytes, its line feed not counted.</param>
/// <param name="exceeded">Told once, on the reader's thread, when the limit is passed; must not throw.</param>
internal sealed class BoundedLineStream(Stream inner, long maxLineBytes, Action<MessageTooLargeException>? exceeded = null)
    : BoundedReadStream(inner, exceeded)
{
    private long _line;

    protected override int Admit(ReadOnlySpan<byte> arrived)
    {
        int start = 0;
        while (true)
        {
            int length = arrived[start..].IndexOf((byte)'\n');
            _line += length < 0 ? arrived.Length - start : length;
            if (_line > maxLineBytes)
            {
                return start;
            }

            if (length < 0)
            {
                return arrived.Length;
            }

            _line = 0;
            start += length + 1;
        }
    }

    protected override MessageTooLargeException Exceeded() => new("a line", maxLineBytes);
}
