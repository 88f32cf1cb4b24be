using System.Reflection;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Policy;

/// <summary>
/// The published JSON Schema of the policy document, as a second pair of eyes on what <see cref="PolicyReading"/> accepts: a value that the reader
/// would overlook is refused here, so that the schema in an editor and the reader cannot drift apart unseen.
/// </summary>
internal static class PublishedPolicySchema
{
    /// <summary>The start of the message, by which tests tell a refusal of the schema from one of the reader.</summary>
    public const string Refusal = "the published schema of the policy refuses this";

    private const string Resource = "Mcp.Guard.mcp-guard.schema.json";
    private const string Fix = "Compare with docs/mcp-guard.schema.json; if the value is right, the reader and the schema disagree, which is a fault of the library";

    /// <summary>A policy is the operator's: the bounds are those of <see cref="PolicyParser"/>, and only keep a file that is out of hand from taking a host's time.</summary>
    private static readonly JsonSchemaOptions Options = new()
    {
        MaxInstanceBytes = PolicyParser.MaxBytes,
        MaxInstanceDepth = PolicyParser.MaxDepth,
        MaxInstanceTokens = JsonToken.MaxCount,
        MaxSteps = 100_000_000,
    };

    private static readonly Lazy<JsonSchemaProgram> Program = new(Compile);

    /// <summary>Reports where a document that the reader accepts does not satisfy the schema.</summary>
    public static void Check(ReadOnlySpan<byte> utf8, PolicyNode root, PolicyProblems problems)
    {
        JsonSchemaResult result = Validate(utf8);
        if (result.IsValid)
        {
            return;
        }

        foreach (JsonSchemaError error in result.Errors)
        {
            problems.Error(root, $"{Refusal}: '{error.InstanceLocation}' {error.Message} ({error.KeywordLocation})", Fix);
        }

        if (result.Errors.Count == 0)
        {
            problems.Error(root, $"{Refusal}: {result.Detail ?? result.Outcome.ToString()}", Fix);
        }
    }

    /// <summary>Validates a policy document; a byte order mark is skipped, as the reader does.</summary>
    public static JsonSchemaResult Validate(ReadOnlySpan<byte> utf8) =>
        Program.Value.Validate(utf8.StartsWith("\uFEFF"u8) ? utf8["\uFEFF"u8.Length..] : utf8, 5);

    private static JsonSchemaProgram Compile()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException("the assembly lacks the schema of its policy");
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return JsonSchemaCompiler.Compile(text, Options).TryGetProgram(out JsonSchemaProgram? program, out JsonSchemaRejection? rejection)
            ? program
            : throw new InvalidOperationException($"the schema of the policy is refused: {rejection.Code} at '{rejection.Location}': {rejection.Message}");
    }
}
