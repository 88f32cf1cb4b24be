using System.Globalization;
using System.Text;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>What was found in one page of tools, for the audit: numbers, and the first names of each kind.</summary>
internal sealed class CatalogReport
{
    private const int MaxNames = 8;

    private readonly SortedDictionary<string, (int Count, List<string> Names)> _lines = new(StringComparer.Ordinal);
    private int _tools;
    private int _pinned;
    private bool _hasChanges;

    /// <summary>True where the page goes to the model as it came.</summary>
    public bool IsClean { get; private set; } = true;

    public ContentFindings Findings { get; private set; }

    /// <summary>The report in words; names are escaped.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"{_tools} tools, {_pinned} of them pinned");
            foreach (var (what, (count, names)) in _lines)
            {
                text.Append(CultureInfo.InvariantCulture, $"; {count} {what}");
                if (names.Count > 0)
                {
                    text.Append(" (").AppendJoin(", ", names).Append(count > names.Count ? ", ...)" : ")");
                }
            }

            return text.ToString();
        }
    }

    /// <summary>Adds a tool.</summary>
    public void Add(ToolEntry entry, bool isShown)
    {
        _tools++;
        Findings |= entry.Findings;
        IsClean &= isShown && !entry.Text.IsChanged && !entry.IsQualified && entry.Findings == ContentFindings.None;
        string name = entry.Definition.Name;
        switch (entry.Pin)
        {
            case ToolPinState.Pinned:
                _pinned++;
                break;
            case ToolPinState.New:
                Line("new", name);
                break;
            case ToolPinState.Changed:
                Line("changed and hidden", name);
                break;
            case ToolPinState.Refused:
                Line("refused by a person", name);
                break;
            default:
                Line("hidden because the pins are out of reach", name);
                break;
        }

        if (!entry.Name.IsUsable)
        {
            Line($"refused for the name ({entry.Name.Fault})", name);
        }

        if (entry.IsQualified)
        {
            Line("listed under a qualified name", name);
        }

        foreach (string flag in ContentFlagNames.Of((ContentFlags)(int)entry.Text.Findings))
        {
            Line("flagged " + flag, name);
        }
    }

    /// <summary>Adds entries that could not be read.</summary>
    public void AddUnreadable(int count)
    {
        if (count > 0)
        {
            IsClean = false;
            _lines["unreadable"] = (count, []);
            _hasChanges = true;
        }
    }

    /// <summary>Puts the report on record where it tells more than that everything is as it was, or where tools of the page were put on record for themselves.</summary>
    public ValueTask WriteAsync(ConnectionState connection, ServerSettings settings, string decisionId, bool isFirstSight, bool hasRecords, CancellationToken ct) =>
        _hasChanges || isFirstSight || hasRecords
            ? connection.Runtime.Pipeline.Audit.WriteEventAsync(
                new AuditRecord
                {
                    Kind = AuditKind.Catalog,
                    Time = connection.Runtime.Time.GetUtcNow(),
                    DecisionId = decisionId,
                    SessionId = connection.ConnectionId,
                    Server = connection.Server.Id,
                    Method = MethodTable.ToolsList,
                    Decision = isFirstSight ? "pinned" : "listed",
                    Reason = Text,
                    PolicyRevision = connection.Policy.Revision,
                },
                ct)
            : ValueTask.CompletedTask;

    private void Line(string what, string name)
    {
        _hasChanges = true;
        (int count, List<string> names) = _lines.TryGetValue(what, out var line) ? line : (0, []);
        if (names.Count < MaxNames)
        {
            names.Add(ConsentDisplay.Name(name));
        }

        _lines[what] = (count + 1, names);
    }
}
