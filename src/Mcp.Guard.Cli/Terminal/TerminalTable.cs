namespace Mcp.Guard.Cli.Terminal;

/// <summary>A table of texts for <see cref="CommandTerminal.Write(TerminalTable)"/>. Cells are wrapped to the width of the terminal and made harmless when they are written.</summary>
internal sealed class TerminalTable(params string[] columns)
{
    private readonly List<TerminalCell[]> _rows = [];

    public IReadOnlyList<string> Columns => columns;

    public IReadOnlyList<TerminalCell[]> Rows => _rows;

    /// <summary>Columns, from 0, whose words are not broken as long as there is room: names that people copy.</summary>
    public IReadOnlyList<int> Whole { get; init; } = [0];

    /// <exception cref="ArgumentException">The row has not one cell for each column.</exception>
    public void Add(params TerminalCell[] cells)
    {
        if (cells.Length != columns.Length)
        {
            throw new ArgumentException($"A row of this table has {columns.Length} cells, not {cells.Length}.", nameof(cells));
        }

        _rows.Add(cells);
    }
}
