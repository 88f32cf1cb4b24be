using System.Text.Json;

namespace Mcp.Guard;

/// <summary>A tool as the server listed it, with what the guard made of it. All of its text is the server's.</summary>
public sealed class McpToolDefinition
{
    /// <summary>Wraps one entry of a <c>tools/list</c> result.</summary>
    /// <param name="name">The exact name.</param>
    /// <param name="definition">The whole entry, detached from any document that is disposed.</param>
    /// <param name="fingerprint">Lower-case hexadecimal SHA-256 over its canonical form.</param>
    public McpToolDefinition(string name, JsonElement definition, string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrWhiteSpace(fingerprint);
        Name = name;
        Definition = definition;
        Fingerprint = fingerprint;
    }

    /// <summary>The exact name.</summary>
    public string Name { get; }

    /// <summary>The whole definition.</summary>
    public JsonElement Definition { get; }

    /// <summary>SHA-256 over every field that a model or a person sees, lower-case hexadecimal.</summary>
    public string Fingerprint { get; }
}
