using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>The words of a prompt, whole, and the words by which it is answered.</summary>
[TestFixture]
internal sealed class ConsentTextTests
{
    private const ConsentScopes All = ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never;

    [Test]
    public void Of_DestructiveCall_SaysItsPartsInOrder() => Assert.That(
        ConsentText.Of(Request(cut: true, merged: 3, destructive: true, openWorld: true, title: "\"T\"", description: "\"D\"", intent: "\"I\"")),
        Is.EqualTo("""
            Allow tool 'delete_file' of server 'files'?
              This is asked for 3 identical calls.
              It may destroy or overwrite. It may reach other systems.
              Asked because: first
              Asked because: second
              On behalf of: ada\n
              Arguments, as they will be sent:
                {
                  "a": 1
                }
              Something is not shown. Only this one call can be allowed.
              The server calls it: "T"
              The server says of it: "D"
              The model says why: "I"

            """.ReplaceLineEndings("\n")));

    [Test]
    public void Of_ResultOfAHarmlessCall_SpeaksOfTheResult() => Assert.That(
        ConsentText.Of(Request(method: "tools/call result", cut: true)),
        Is.EqualTo("""
            Allow tools/call result 'delete_file' of server 'files'?
              It counts as not destructive.
              Asked because: first
              Asked because: second
              On behalf of: ada\n
              The result, as it would be delivered:
                {
                  "a": 1
                }
              Some of the result is not shown.

            """.ReplaceLineEndings("\n")));

    [Test]
    public void Of_NothingSpecial_SaysNothingOfIt()
    {
        string text = ConsentText.Of(Request());
        Assert.That(text, Does.Not.Contain("identical").And.Not.Contain("not shown").And.Not.Contain("reach other systems").And.Not.Contain("as it was approved").And.Not.Contain("The server").And.Not.Contain("The model"));
        Assert.That(text, Does.EndWith("    }\n"));
    }

    [Test]
    public void Of_ChangedTool_ShowsWhatWasAndWhatIs()
    {
        string text = ConsentText.Of(Request(changes: [new ToolChange(string.Empty, null, "{\n  \"a\": 1\n}")], omitted: 0));
        Assert.That(text, Does.EndWith("  The tool is not as it was approved:\n    the whole definition\n      was: (nothing)\n      now: {\n             \"a\": 1\n           }\n"));
        Assert.That(ConsentText.Of(Request(changes: [new ToolChange("/a", "1", "2")], omitted: 1)), Does.EndWith("    /a\n      was: 1\n      now: 2\n    and 1 more differences\n"));
    }

    [TestCase(All, false, "no|once|same|tool|never")]
    [TestCase(ConsentScopes.None, false, "no")]
    [TestCase(ConsentScopes.Once, false, "no|once")]
    [TestCase(ConsentScopes.TheseArguments | ConsentScopes.Never, false, "no|same|never")]
    [TestCase(ConsentScopes.Tool, true, "no|tool")]
    public void Choices_Offered_AreThoseAndNoFirst(ConsentScopes offered, bool changed, string words)
    {
        IReadOnlyList<(ConsentAnswerKind Kind, string Word, string Label)> choices = ConsentText.Choices(Request(offered: offered, changes: changed ? [new ToolChange("/a", "1", "2")] : null));
        Assert.That(string.Join('|', choices.Select(choice => choice.Word)), Is.EqualTo(words));
        foreach (var (kind, word, label) in choices)
        {
            Assert.That((kind, label), Is.EqualTo(word switch
            {
                "no" => (ConsentAnswerKind.Deny, "No"),
                "once" => (ConsentAnswerKind.AllowOnce, "Yes, this once"),
                "same" => (ConsentAnswerKind.AllowTheseArguments, "Yes, with exactly these arguments, in this session"),
                "tool" => (ConsentAnswerKind.AllowTool, changed ? "Yes, the tool as it is now, with any permitted arguments, in this session" : "Yes, this tool with any permitted arguments, in this session"),
                _ => (ConsentAnswerKind.Never, "No, and never ask again"),
            }));
        }
    }

    // Whatever is not exactly an offered word is a no.
    [Test]
    public void Answer_AnyWord_IsTheOfferedOneOrNo()
    {
        (string Word, ConsentScopes Scope, ConsentAnswerKind Kind)[] words =
        [
            ("once", ConsentScopes.Once, ConsentAnswerKind.AllowOnce), ("same", ConsentScopes.TheseArguments, ConsentAnswerKind.AllowTheseArguments),
            ("tool", ConsentScopes.Tool, ConsentAnswerKind.AllowTool), ("never", ConsentScopes.Never, ConsentAnswerKind.Never),
        ];
        for (int offered = 0; offered <= (int)All; offered++)
        {
            ConsentRequest request = Request(offered: (ConsentScopes)offered);
            foreach (var (word, scope, kind) in words)
            {
                ConsentAnswer answer = ConsentText.Answer(request, word);
                Assert.That(answer.Kind, Is.EqualTo((((ConsentScopes)offered) & scope) != 0 ? kind : ConsentAnswerKind.Deny), $"{word} of {(ConsentScopes)offered}");
                Assert.That(answer.RequestId, Is.EqualTo(request.RequestId));
            }

            foreach (string? other in (string?[])["no", "yes", "Once", " once", "", null])
            {
                Assert.That(ConsentText.Answer(request, other).Kind, Is.EqualTo(ConsentAnswerKind.Deny), other);
            }
        }
    }

    internal static ConsentRequest Request(
        string method = "tools/call", ConsentScopes offered = All, bool cut = false, int merged = 1, bool destructive = false, bool openWorld = false,
        string? title = null, string? description = null, string? intent = null, IReadOnlyList<ToolChange>? changes = null, int omitted = 0) => new()
        {
            RequestId = "r1",
            DecisionId = "d1",
            ServerId = "files",
            Method = method,
            ToolName = "delete_file",
            ArgumentsForDisplay = "{\n  \"a\": 1\n}",
            IsCut = cut,
            Reasons = ["first", "second"],
            Caller = new GuardCaller("ada\n", "s1"),
            IsDestructive = destructive,
            IsOpenWorld = openWorld,
            Offered = offered,
            MergedCalls = merged,
            ServerSuppliedTitle = title,
            ServerSuppliedDescription = description,
            ModelSuppliedIntent = intent,
            Deadline = DateTimeOffset.UnixEpoch,
            Changes = changes ?? [],
            OmittedChanges = omitted,
        };
}
