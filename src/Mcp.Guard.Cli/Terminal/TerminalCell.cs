namespace Mcp.Guard.Cli.Terminal;

/// <summary>One cell of a <see cref="TerminalTable"/>: a text, hostile or not, and what it means.</summary>
internal readonly record struct TerminalCell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator TerminalCell(string text) => new(text);
}
