using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// The calls whose intent is in the log and whose outcome is not. Bounded: beyond the limit new ones are only counted, which can hide an open intent
/// but never a record.
/// </summary>
internal sealed class AuditOpenIntents
{
    /// <summary>How many ids a segment's header lists.</summary>
    public const int MaxListed = 1_000;

    private const int MaxHeld = 65_536;

    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);

    public int Count => _ids.Count;

    /// <summary>How many were not held for lack of room.</summary>
    public long Uncounted { get; private set; }

    public void Track(AuditKind kind, string decisionId)
    {
        if (decisionId.Length == 0)
        {
            return;
        }

        if (kind == AuditKind.Intent)
        {
            if (_ids.Count < MaxHeld)
            {
                _ids.Add(decisionId);
            }
            else
            {
                Uncounted++;
            }
        }
        else if (kind is AuditKind.Outcome or AuditKind.Denial)
        {
            _ids.Remove(decisionId);
        }
    }

    /// <summary>The same for a line that was read back.</summary>
    public void Track(in AuditLine line)
    {
        if (line.DecisionId.IsEmpty)
        {
            return;
        }

        switch (line.Kind)
        {
            case AuditKind.Intent or AuditKind.Outcome or AuditKind.Denial:
                Track(line.Kind, Encoding.ASCII.GetString(line.DecisionId));
                break;
            case AuditKind.Log when line.Event is AuditLogEvent.OpenIntent or AuditLogEvent.IntentWithdrawn:
                Close(Encoding.ASCII.GetString(line.DecisionId));
                break;
            default:
                break;
        }
    }

    public void Open(string decisionId) => Track(AuditKind.Intent, decisionId);

    public void Close(string decisionId) => _ids.Remove(decisionId);

    public void Clear() => _ids.Clear();

    /// <summary>The first ids, at most as many as a header lists.</summary>
    public string[] List()
    {
        var ids = new string[int.Min(_ids.Count, MaxListed)];
        int i = 0;
        foreach (string id in _ids)
        {
            if (i == ids.Length)
            {
                break;
            }

            ids[i++] = id;
        }

        return ids;
    }
}
