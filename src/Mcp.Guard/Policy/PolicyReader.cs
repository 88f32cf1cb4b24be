namespace Mcp.Guard.Policy;

/// <summary>Reads a policy document. Everything is checked, nothing is ignored; what is not acceptable is reported with its place and its fix.</summary>
internal static class PolicyReader
{
    /// <summary>Reads a document.</summary>
    /// <param name="utf8">The text of the document; a byte order mark is skipped.</param>
    /// <param name="sourcePath">The file it comes from, where relative paths start and errors point; null for a policy built in code.</param>
    /// <param name="schemas">Compiles <c>when</c> and <c>require</c>.</param>
    /// <param name="options">What the host knows besides; null is nothing.</param>
    /// <exception cref="McpGuardPolicyException">The document is not acceptable.</exception>
    public static PolicySnapshot Read(ReadOnlyMemory<byte> utf8, string? sourcePath, ISchemaCompiler schemas, PolicyReadOptions? options = null) =>
        Read(utf8, sourcePath, schemas, options, hasText: true);

    /// <summary>The same for a document that a builder made: its errors name pointers, because nobody has seen its lines.</summary>
    public static PolicySnapshot Read(GuardPolicyBuilder builder, ISchemaCompiler schemas, PolicyReadOptions? options = null) =>
        Read(builder.ToUtf8(), null, schemas, options, hasText: false);

    private static PolicySnapshot Read(ReadOnlyMemory<byte> utf8, string? sourcePath, ISchemaCompiler schemas, PolicyReadOptions? options, bool hasText)
    {
        ArgumentNullException.ThrowIfNull(schemas);
        if (sourcePath is not null)
        {
            sourcePath = Path.GetFullPath(sourcePath);
        }

        var problems = new PolicyProblems(utf8, sourcePath, hasText);
        PolicyNode? root = PolicyParser.Parse(utf8.Span, problems);
        problems.ThrowIfAny();
        PolicySnapshot? snapshot = new PolicyReading(utf8, root!, sourcePath, schemas, options ?? PolicyReadOptions.Default, problems).Read();
        problems.ThrowIfAny();

        // The reader's errors name line and fix, so that they come first. What it lets through has to be what the published schema promises to editors.
        PublishedPolicySchema.Check(utf8.Span, root!, problems);
        problems.ThrowIfAny();
        return snapshot ?? throw new InvalidOperationException("The policy was neither read nor refused.");
    }
}
