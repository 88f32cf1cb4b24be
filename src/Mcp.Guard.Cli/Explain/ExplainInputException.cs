namespace Mcp.Guard.Cli.Explain;

/// <summary>An input line of <c>mcp-guard explain</c> lacks something; the message says what and is shown as the answer's <c>error</c>.</summary>
internal sealed class ExplainInputException(string message) : Exception(message);
