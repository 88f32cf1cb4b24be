namespace Mcp.Guard.Isolation;

/// <summary>One environment variable that a server gets.</summary>
/// <param name="Name">As the server reads it.</param>
/// <param name="Value">Already resolved from the host's environment or a secret resolver.</param>
/// <param name="Secret">True keeps the value out of command lines and descriptions.</param>
internal sealed record IsolationVariable(string Name, string Value, bool Secret = false);
