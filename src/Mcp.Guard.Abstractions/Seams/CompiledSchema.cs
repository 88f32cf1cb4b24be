using System.Text.Json;

namespace Mcp.Guard;

/// <summary>An immutable, thread-safe schema.</summary>
public abstract class CompiledSchema
{
    /// <summary>Validates a parsed value.</summary>
    /// <param name="instance">The value.</param>
    /// <param name="errors">Receives at most <paramref name="maxErrors"/> reasons; null where none are wanted.</param>
    /// <param name="maxErrors">0 to 100.</param>
    public abstract SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5);

    /// <summary>Parses strictly and validates in one pass.</summary>
    /// <param name="utf8">JSON text.</param>
    /// <param name="errors">Receives at most <paramref name="maxErrors"/> reasons; null where none are wanted.</param>
    /// <param name="maxErrors">0 to 100.</param>
    public abstract SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5);
}
