using System.Text.RegularExpressions;

namespace Mcp.Guard.Tests.House;

/// <summary>Rules for the text of the library that no analyzer holds by itself; those that analyzers hold are switched on, and nobody switches them off silently.</summary>
[TestFixture]
internal sealed partial class SourceRuleTests
{
    private static readonly string[] Banned =
    [
        "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.UtcNow", "M:System.Diagnostics.Stopwatch.GetTimestamp",
        "M:System.Threading.Thread.Sleep(System.Int32)", "M:System.Threading.Tasks.Task.Delay(System.Int32)", "T:System.Threading.Timer", "T:System.Random",
        "F:System.StringComparison.CurrentCulture", "F:System.StringComparison.InvariantCulture", "P:System.StringComparer.CurrentCulture",
        "P:System.Globalization.CultureInfo.CurrentCulture", "M:System.String.StartsWith(System.String)", "M:System.String.Compare(System.String,System.String)",
        "M:System.String.ToLower", "M:System.String.ToUpper", "M:System.Int32.Parse(System.String)", "M:System.Double.Parse(System.String)",
        "N:Newtonsoft.Json", "M:System.Text.Json.JsonSerializer.Serialize``1(``0,System.Text.Json.JsonSerializerOptions)",
        "M:System.Text.Json.JsonSerializer.Deserialize``1(System.String,System.Text.Json.JsonSerializerOptions)",
        "M:System.Diagnostics.Process.Start(System.Diagnostics.ProcessStartInfo)", "M:System.Type.GetType(System.String)",
        "M:System.Reflection.Assembly.LoadFrom(System.String)", "M:System.Text.RegularExpressions.Regex.#ctor(System.String)",
    ];

    private static readonly string[] CultureRules = ["CA1304", "CA1305", "CA1307", "CA1309", "CA1310", "CA1311"];

    [Test]
    public void BannedSymbols_HoldWhatTheHouseForbids_EachWithAReason()
    {
        string[] lines = Checkout.Read("src/BannedSymbols.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] symbols = [.. lines.Select(static line => line.Split(';')[0])];
        Assert.Multiple(() =>
        {
            Assert.That(Banned, Is.SubsetOf(symbols));
            Assert.That(symbols, Is.Unique);
            Assert.That(lines, Has.All.Matches<string>(static line => line!.Split(';') is [_, { Length: > 8 }]), "what to use instead");
            Assert.That(Checkout.Read("src/Directory.Build.props"), Does.Contain("Microsoft.CodeAnalysis.BannedApiAnalyzers").And.Contain("BannedSymbols.txt"));
            Assert.That(Checkout.Read("Directory.Build.props"), Does.Contain("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>"));
        });
    }

    [Test]
    public void CultureRules_OfTheAnalyzers_AreOnForTheLibrary()
    {
        string config = Checkout.Read(".editorconfig");
        string library = config[config.IndexOf("[src/**.cs]", StringComparison.Ordinal)..];
        Assert.Multiple(() =>
        {
            foreach (string rule in CultureRules)
            {
                Assert.That(library, Does.Contain($"dotnet_diagnostic.{rule}.severity = warning"));
            }
        });
    }

    [Test]
    public void Suppressions_OfBannedAndCultureRules_SayWhyOnTheLine()
    {
        Assert.Multiple(() =>
        {
            foreach (string file in Checkout.Sources("src"))
            {
                string[] lines = Checkout.Read(file).Split('\n');
                for (int i = 0; i < lines.Length; i++)
                {
                    if (Guarded().IsMatch(lines[i]) && lines[i].Contains("disable", StringComparison.Ordinal))
                    {
                        Assert.That(lines[i], Does.Contain("// "), $"{file}:{i + 1} switches a rule off without a reason");
                    }
                }
            }
        });
    }

    [Test]
    public void ProjectFiles_SwitchNoRuleOfTheHouseOff()
    {
        string root = Checkout.Require();
        string[] files =
        [
            "Directory.Build.props", ".editorconfig",
            .. Directory.EnumerateFiles(Path.Combine(root, "src"), "*", SearchOption.AllDirectories)
                .Where(static file => Path.GetExtension(file) is ".csproj" or ".props" or ".targets" or ".editorconfig" or ".globalconfig" or ".ruleset")
                .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
                .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)),
        ];
        Assert.That(files, Has.Length.GreaterThan(8));
        Assert.Multiple(() =>
        {
            foreach (string file in files)
            {
                string[] off = [.. Checkout.Read(file).Split('\n').Where(static line => (line.Contains("NoWarn", StringComparison.Ordinal) || line.Contains("= none", StringComparison.Ordinal) || line.Contains("= silent", StringComparison.Ordinal)) && Held().IsMatch(line))];
                Assert.That(off, Is.Empty, file);
            }

            Assert.That(Checkout.Read("src/Directory.Build.props"), Does.Contain("<GenerateDocumentationFile>true</GenerateDocumentationFile>"), "CS1591 holds every public member to its documentation");
        });
    }

    [Test]
    public void Comparisons_NeverAskACulture()
    {
        string[] allowed = [];
        Assert.Multiple(() =>
        {
            foreach (string file in Checkout.Sources("src").Except(allowed))
            {
                string text = Checkout.Read(file);
                Assert.That(Culture().Match(text).Value, Is.Empty, file);
            }
        });
    }

    [Test]
    public void RegularExpressions_CannotBacktrack()
    {
        Assert.Multiple(() =>
        {
            foreach (string file in Checkout.Sources("src"))
            {
                string text = Checkout.Read(file);
                foreach (Match use in RegexUse().Matches(text).Cast<Match>())
                {
                    int end = text.IndexOf(';', use.Index);
                    Assert.That(text[use.Index..(end < 0 ? text.Length : end)], Does.Contain("NonBacktracking"), $"{file}: {use.Value}");
                }
            }
        });
    }

    [Test]
    public void Files_HoldOneTypeEach_WithADocumentationLine()
    {
        Assert.Multiple(() =>
        {
            foreach (string file in Checkout.Sources("src"))
            {
                string text = Checkout.Read(file);
                if (file.EndsWith("Program.cs", StringComparison.Ordinal) || file.EndsWith(".g.cs", StringComparison.Ordinal))
                {
                    continue;
                }

                Match[] types = [.. TopLevelType().Matches(text).Cast<Match>()];
                Assert.That(types, Has.Length.EqualTo(1), $"{file}: {string.Join(", ", types.Select(static match => match.Groups[2].Value))}");
                if (types.Length == 1 && !text[..types[0].Index].Contains("/// ", StringComparison.Ordinal) && !types[0].Value.Contains("partial", StringComparison.Ordinal))
                {
                    Assert.Fail($"{file} does not say what its type is for");
                }
            }
        });
    }

    [Test]
    public void Names_AreOfTheField()
    {
        string[] found = [.. Checkout.Sources("src").Select(static file => Path.GetFileNameWithoutExtension(file)!).Where(static name => BadName().IsMatch(name))];
        Assert.That(found, Is.Empty);
    }

    [GeneratedRegex(@"RS0030|CA130[4579]|CA131[01]", RegexOptions.CultureInvariant)]
    private static partial Regex Guarded();

    /// <summary>Banned symbols, cultures, documentation of public members, and the public API files.</summary>
    [GeneratedRegex(@"RS0030|CA130[4579]|CA131[01]|CS1591|RS0016|RS0017", RegexOptions.CultureInvariant)]
    private static partial Regex Held();

    [GeneratedRegex(@"\b(CurrentCulture|CurrentUICulture|InvariantCultureIgnoreCase|StringComparison\.InvariantCulture|StringComparer\.InvariantCulture|new CultureInfo|CompareInfo)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Culture();

    [GeneratedRegex(@"new Regex\(|\[GeneratedRegex\(|\bRegex\.(IsMatch|Match|Matches|Replace|Split)\(", RegexOptions.CultureInvariant)]
    private static partial Regex RegexUse();

    [GeneratedRegex(@"^(?:public |internal |file )?(?:static |sealed |abstract |readonly |ref |unsafe |partial )*(class|struct|interface|enum|record(?: struct| class)?|delegate [\w<>?]+) ([A-Z]\w*)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    [GeneratedRegex("(Manager|Helper|Helpers|Utils|Util|Utility)$", RegexOptions.CultureInvariant)]
    private static partial Regex BadName();
}
