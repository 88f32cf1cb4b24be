namespace Mcp.Guard.Docs.Tests;

/// <summary>A block of code in a document.</summary>
/// <param name="Document">The document, from the top folder.</param>
/// <param name="Line">The line of its first line, from 1.</param>
/// <param name="Language">What stands behind the opening fence.</param>
/// <param name="Text">The code.</param>
internal sealed record Fence(string Document, int Line, string Language, string Text)
{
    /// <summary>All blocks of a language in README, CONTRIBUTING and docs.</summary>
    public static IEnumerable<Fence> Of(string language)
    {
        if (Mcp.Guard.Tests.Checkout.Root is not { } root)
        {
            yield break;
        }

        IEnumerable<string> documents = Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md"));
        foreach (string document in documents.Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal))
        {
            string[] lines = File.ReadAllLines(Path.Combine(root, document));
            for (int i = 0; i < lines.Length; i++)
            {
                if (!lines[i].StartsWith("```", StringComparison.Ordinal))
                {
                    continue;
                }

                int end = Array.FindIndex(lines, i + 1, static line => line.StartsWith("```", StringComparison.Ordinal));
                string its = lines[i][3..].Trim();
                if (its == language)
                {
                    yield return new Fence(document, i + 2, its, string.Join('\n', lines[(i + 1)..end]));
                }

                i = end;
            }
        }
    }

    public override string ToString() => $"{Document}:{Line}";
}
