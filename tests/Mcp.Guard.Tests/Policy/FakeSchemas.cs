using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Tests.Policy;

/// <summary>
/// A schema seam with scripted outcomes, so that tests of rules do not depend on an engine: <c>true</c> and any unmarked object are valid, <c>false</c>
/// is invalid, <c>{"$fake":"limit"}</c> and the like give that outcome, <c>{"$fake":"refuse","at":"/x"}</c> does not compile, and
/// <c>{"$fake":"flag:NAME"}</c> is valid exactly where the arguments have <c>NAME: true</c>.
/// </summary>
internal sealed class FakeSchemas : ISchemaCompiler
{
    public static FakeSchemas Instance { get; } = new();

    public int Compilations { get; private set; }

    public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options)
    {
        Compilations++;
        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(utf8));
        JsonElement root = document.RootElement;
        string? script = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("$fake", out JsonElement value) ? value.GetString() : null;
        return script switch
        {
            "refuse" => SchemaCompilation.Rejected(new("scripted", root.TryGetProperty("at", out JsonElement at) ? at.GetString()! : string.Empty, "scripted to be refused")),
            "crash" => throw new InvalidOperationException("scripted to crash"),
            _ => SchemaCompilation.Compiled(new Scripted(script ?? (root.ValueKind == JsonValueKind.False ? "invalid" : "valid"))),
        };
    }

    private sealed class Scripted(string script) : CompiledSchema
    {
        public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5)
        {
            SchemaOutcome outcome = script switch
            {
                "valid" => SchemaOutcome.Valid,
                "invalid" => SchemaOutcome.Invalid,
                "limit" => SchemaOutcome.LimitExceeded,
                "malformed" => SchemaOutcome.MalformedText,
                "none" => SchemaOutcome.None,
                "throw" => throw new InvalidOperationException("scripted to throw"),
                _ when script.StartsWith("flag:", StringComparison.Ordinal) =>
                    instance.ValueKind == JsonValueKind.Object && instance.TryGetProperty(script["flag:".Length..], out JsonElement flag) && flag.ValueKind == JsonValueKind.True
                        ? SchemaOutcome.Valid
                        : SchemaOutcome.Invalid,
                _ => throw new ArgumentException($"unknown script '{script}'"),
            };
            if (outcome != SchemaOutcome.Valid)
            {
                for (int i = 0; i < Math.Min(maxErrors, 3); i++)
                {
                    errors?.Add(new($"/{i}", "/$fake", "scripted"));
                }
            }

            return outcome;
        }

        public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5)
        {
            using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(utf8));
            return Validate(document.RootElement, errors, maxErrors);
        }
    }
}
