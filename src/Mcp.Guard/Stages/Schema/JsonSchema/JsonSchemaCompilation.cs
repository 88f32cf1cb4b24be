using System.Diagnostics.CodeAnalysis;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The outcome of compiling: a program or the reason why there is none; <c>default</c> has no program.</summary>
internal readonly struct JsonSchemaCompilation
{
    private static readonly JsonSchemaRejection NotCompiled = new(RejectionCodes.Text, "", "no schema was compiled");

    private readonly JsonSchemaRejection? _rejection;

    public JsonSchemaCompilation(JsonSchemaProgram program) => Program = program;

    public JsonSchemaCompilation(JsonSchemaRejection rejection) => _rejection = rejection;

    /// <summary>The compiled schema; null where it is refused.</summary>
    public JsonSchemaProgram? Program { get; }

    /// <summary>Why there is no program; null where there is one.</summary>
    public JsonSchemaRejection? Rejection => Program is null ? _rejection ?? NotCompiled : null;

    public bool TryGetProgram([NotNullWhen(true)] out JsonSchemaProgram? program, [NotNullWhen(false)] out JsonSchemaRejection? rejection)
    {
        program = Program;
        rejection = Rejection;
        return program is not null;
    }
}
