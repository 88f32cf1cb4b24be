using System.Text.Json;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Tests.Proof;

/// <summary>The library's own engine, but for schemas that say how they fail.</summary>
internal sealed class FaultySchemas : ISchemaCompiler
{
    /// <summary>Begins the comment of a schema that fails.</summary>
    public const string Mark = "fails: ";

    private readonly BuiltInSchemaCompiler _own = new();

    public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options)
    {
        SchemaCompilation compiled = _own.Compile(utf8, options);
        return !compiled.IsCompiled || utf8.IndexOf("fails: "u8) < 0 ? compiled
            : SchemaCompilation.Compiled(new Failing(utf8.IndexOf("fails: Throws"u8) >= 0));
    }

    private sealed class Failing(bool throws) : CompiledSchema
    {
        public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5) => Answer();

        public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5) => Answer();

        private SchemaOutcome Answer() => throws ? throw new InvalidOperationException("the engine failed") : SchemaOutcome.LimitExceeded;
    }
}
