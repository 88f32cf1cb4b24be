using System.Text;

namespace Mcp.Guard.Policy;

/// <summary>Collects the errors and warnings of one reading of a policy and turns byte offsets into lines and columns.</summary>
internal sealed class PolicyProblems(ReadOnlyMemory<byte> utf8, string? file, bool hasText)
{
    /// <summary>More than these are not reported: a document that is wrong throughout needs no longer list.</summary>
    public const int MaxErrors = 100;

    /// <summary>More warnings than these are not reported.</summary>
    public const int MaxWarnings = 1_000;

    private readonly List<GuardPolicyError> _errors = [];
    private readonly List<GuardPolicyError> _warnings = [];
    private List<int>? _lineStarts;

    public bool HasErrors => _errors.Count > 0;

    /// <summary>True where no further error would be kept, so that a reader can stop early.</summary>
    public bool IsFull => _errors.Count >= MaxErrors;

    public IReadOnlyList<GuardPolicyError> Warnings => _warnings;

    public void Error(PolicyNode node, string message, string fix) => Error(node.Start, node.Pointer(), message, fix);

    public void Error(int offset, string pointer, string message, string fix)
    {
        if (!IsFull)
        {
            _errors.Add(Locate(offset, pointer, message, fix));
        }
    }

    public void Warn(PolicyNode node, string message, string fix)
    {
        if (_warnings.Count < MaxWarnings)
        {
            _warnings.Add(Locate(node.Start, node.Pointer(), message, fix));
        }
    }

    public void ThrowIfAny()
    {
        if (HasErrors)
        {
            throw new McpGuardPolicyException([.. _errors.OrderBy(error => error.Line).ThenBy(error => error.Column)]);
        }
    }

    private GuardPolicyError Locate(int offset, string pointer, string message, string fix)
    {
        if (!hasText)
        {
            return new(file, 0, 0, pointer, message, fix);
        }

        _lineStarts ??= FindLines(utf8.Span);
        offset = Math.Clamp(offset, 0, utf8.Length);
        int found = _lineStarts.BinarySearch(offset);
        int line = found >= 0 ? found : ~found - 1;
        int column = Encoding.UTF8.GetCharCount(utf8.Span[_lineStarts[line]..offset]);
        return new(file, line + 1, column + 1, pointer, message, fix);
    }

    private static List<int> FindLines(ReadOnlySpan<byte> text)
    {
        var starts = new List<int> { 0 };
        for (int at = 0; at < text.Length;)
        {
            int end = text[at..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            at += end + 1;
            starts.Add(at);
        }

        return starts;
    }
}
