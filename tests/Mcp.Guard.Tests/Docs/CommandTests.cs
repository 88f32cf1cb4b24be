using System.CommandLine;
using System.Text.RegularExpressions;
using Mcp.Guard.Cli.Commands;

namespace Mcp.Guard.Tests.Docs;

/// <summary>Command lines of the documents are ones that the tool takes.</summary>
[TestFixture]
internal sealed partial class CommandTests
{
    private static IEnumerable<TestCaseData> Lines =>
        from document in Documents()
        from line in Checkout.Read(document).Split('\n')
        let match = Line().Match(line)
        where match.Success && !match.Value.Contains('[', StringComparison.Ordinal)
        select new TestCaseData(document, match.Groups[1].Value).SetArgDisplayNames(document, match.Groups[1].Value);

    private static IEnumerable<TestCaseData> Spans =>
        from document in Documents()
        from match in Span().Matches(Checkout.Read(document)).Cast<Match>()
        select new TestCaseData(document, match.Groups[1].Value).SetArgDisplayNames(document, match.Groups[1].Value);

    [TestCaseSource(nameof(Lines))]
    public void CommandLine_OfADocument_IsOneThatTheToolTakes(string document, string line)
    {
        string[] words = [.. Word().Matches(line).Select(static match => match.Value.Trim('"', '\'')).TakeWhile(static word => word is not ("|" or "#" or ">" or "<" or "&&"))];
        Assert.That(Root().Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null }).Errors.Select(static error => error.Message), Is.Empty, $"{document}: mcp-guard {line}");
    }

    [TestCaseSource(nameof(Spans))]
    public void Verb_InTheTextOfADocument_IsOneOfTheTool(string document, string verb) =>
        Assert.That(Root().Subcommands.Select(static command => command.Name), Does.Contain(verb), document);

    private static RootCommand Root()
    {
        var root = new RootCommand();
        foreach (Command verb in (Command[])
            [
                InitCommand.Create(), CheckCommand.Create(), RunCommand.Create(), InstallCommand.Create(), ComposeCommand.Create(), ExplainCommand.Create(), AuditCommand.Create(),
                ReplayCommand.Create(), CompletionsCommand.Create(),
            ])
        {
            root.Subcommands.Add(verb);
        }

        return root;
    }

    private static IEnumerable<string> Documents() => Checkout.Root is not { } root
        ? []
        : Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md")).Select(file => Path.GetRelativePath(root, file)).Order(StringComparer.Ordinal);

    /// <summary>A line of a block that runs the tool, with or without a prompt or another program before it. Only blocks have lines that begin so.</summary>
    [GeneratedRegex(@"^(?:\$ )?(?:echo '[^']*' \| )?mcp-guard ([a-z]+(?: .*)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Line();

    [GeneratedRegex("`mcp-guard ([a-z]+)[^`]*`", RegexOptions.CultureInvariant)]
    private static partial Regex Span();

    [GeneratedRegex("\"[^\"]*\"|'[^']*'|[^ ]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
