using System.Reflection;
using System.Text.RegularExpressions;

namespace Mcp.Guard.Tests.House;

/// <summary>Denial codes are a contract: documented, complete, and none changes its meaning.</summary>
[TestFixture]
internal sealed partial class DenialCodeTests
{
    /// <summary>Every code that was ever published, in the order of publication, with its constant. Only add.</summary>
    private static readonly (string Constant, string Code)[] Published =
    [
        ("ServerNotAllowed", "server-not-allowed"),
        ("ServerUnavailable", "server-unavailable"),
        ("MethodNotAllowed", "method-not-allowed"),
        ("Halted", "halted"),
        ("RuleDenied", "rule-denied"),
        ("ToolUnknown", "tool-unknown"),
        ("CallerRequired", "caller-required"),
        ("ToolChanged", "tool-changed"),
        ("NameCollision", "name-collision"),
        ("ArgumentsMalformed", "arguments-malformed"),
        ("ArgumentsInvalid", "arguments-invalid"),
        ("SchemaRefused", "schema-refused"),
        ("PathOutsideRoots", "path-outside-roots"),
        ("UrlNotAllowed", "url-not-allowed"),
        ("PromptTooLong", "prompt-too-long"),
        ("RateLimited", "rate-limited"),
        ("TooManyCalls", "too-many-calls"),
        ("BudgetSpent", "budget-spent"),
        ("ConsentDenied", "consent-denied"),
        ("ConsentTimeout", "consent-timeout"),
        ("ConsentUnavailable", "consent-unavailable"),
        ("AuditUnavailable", "audit-unavailable"),
        ("Timeout", "timeout"),
        ("ResultInvalid", "result-invalid"),
        ("ResultTooLarge", "result-too-large"),
        ("ServerRequestRefused", "server-request-refused"),
        ("ContinuationInvalid", "continuation-invalid"),
        ("GuardFault", "guard-fault"),
    ];

    [Test]
    public void Constants_AreExactlyThePublishedOnes_AndAllIsTheirList()
    {
        (string Name, string Value)[] constants =
            [.. typeof(GuardDenialCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Where(static field => field.IsLiteral).Select(static field => (field.Name, (string)field.GetRawConstantValue()!))];
        Assert.Multiple(() =>
        {
            Assert.That(constants, Is.EquivalentTo(Published), "a new code goes to the end of the list above and into docs/denial-codes.md; an old one stays as it is");
            Assert.That(GuardDenialCodes.All, Is.EquivalentTo(Published.Select(static item => item.Code)));
            Assert.That(GuardDenialCodes.All, Is.Unique);
            Assert.That(GuardDenialCodes.All.Select(GuardDenialCodes.MessageFor), Has.None.EqualTo(GuardDenialCodes.MessageFor("acme-dlp")), "each code has a text of its own");
            Assert.That(GuardDenialCodes.All, Has.All.Matches<string>(static code => Kebab().IsMatch(code!)));
        });
    }

    [Test]
    public void Page_AndConstants_NameTheSameCodesInTheSameOrder()
    {
        string[][] rows = Checkout.Table("docs/denial-codes.md", "# Denial codes");
        Assert.That(rows.Select(static row => row[0].Trim('`')), Is.EqualTo(GuardDenialCodes.All));
        Assert.That(rows, Has.All.Matches<string[]>(static row => row!.Length == 4 && row.All(static cell => cell.Length > 0)), "code, meaning, place, what to do");
    }

    [Test]
    public void Page_NamesThePlacesThatUseACode()
    {
        string root = Checkout.Require();
        (string Folder, string Text)[] sources = [.. Checkout.Sources("src/Mcp.Guard").Select(file => (FolderOf(file), File.ReadAllText(Path.Combine(root, file))))];
        Assert.Multiple(() =>
        {
            foreach (string[] row in Checkout.Table("docs/denial-codes.md", "# Denial codes"))
            {
                string code = row[0].Trim('`');
                string constant = Published.Single(item => item.Code == code).Constant;
                var use = new Regex($@"\bGuardDenialCodes\.{constant}\b", RegexOptions.CultureInvariant);
                HashSet<string> used = [.. sources.Where(source => use.IsMatch(source.Text)).Select(static source => source.Folder)];
                HashSet<string> named = [.. CodeSpan().Matches(row[2]).Select(static match => match.Groups[1].Value)];
                Assert.That(named, Is.Not.Empty.And.SubsetOf(used), $"{code}: a place that does not use it");
            }
        });
    }

    // src/Mcp.Guard/Stages/Roots/X.cs is Stages/Roots; src/Mcp.Guard/Hosting/X.cs is Hosting.
    private static string FolderOf(string file)
    {
        string[] parts = file.Split('/');
        return parts[2] is "Stages" or "Policy" && parts.Length > 4 ? parts[2] + "/" + parts[3] : parts[2];
    }

    [GeneratedRegex("^[a-z]+(-[a-z]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex Kebab();

    [GeneratedRegex("`([A-Z][A-Za-z]+(?:/[A-Za-z]+)?)`", RegexOptions.CultureInvariant)]
    private static partial Regex CodeSpan();
}
