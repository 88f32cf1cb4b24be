namespace Mcp.Guard.Policy;

/// <summary>One name and value of an object in a policy document.</summary>
/// <param name="Name">The name without escapes.</param>
/// <param name="NameStart">Offset of the name's opening quote.</param>
/// <param name="Value">The value.</param>
internal readonly record struct PolicyMember(string Name, int NameStart, PolicyNode Value);
