namespace Mcp.Guard.Stages.Consent;

/// <summary>A text made for a person's eyes.</summary>
/// <param name="Text">Printable characters and line feeds only.</param>
/// <param name="IsCut">True where something of the original is not shown; what was collapsed with its exact number is shown.</param>
internal readonly record struct DisplayText(string Text, bool IsCut);
