using System.Text.Json;
using Mcp.Guard.Stages.Consent;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class ConsentProviderTests
{
    [TestCase("once", ConsentAnswerKind.AllowOnce)]
    [TestCase("same", ConsentAnswerKind.AllowTheseArguments)]
    [TestCase("tool", ConsentAnswerKind.AllowTool)]
    [TestCase("never", ConsentAnswerKind.Never)]
    [TestCase("yes", ConsentAnswerKind.Deny)]
    [TestCase("ONCE", ConsentAnswerKind.Deny)]
    public async Task Console_WordWithTheNumber_IsTheAnswer(string word, ConsentAnswerKind expect)
    {
        using var terminal = new ScriptedTerminal();
        Task<ConsentAnswer> asking = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(Request(), default).AsTask();
        terminal.Type($"{word} {await terminal.NumberAsync()}");
        Assert.That((await asking).Kind, Is.EqualTo(expect));
        Assert.That(terminal.Written, Does.Contain("Allow tool 'delete_file' of server 'files'?"));
    }

    [Test]
    public async Task Console_LineTypedBeforeTheQuestion_AnswersNothing()
    {
        using var terminal = new ScriptedTerminal();
        terminal.Type("once 0000");
        terminal.Type("once");
        terminal.Type("y");
        Task<ConsentAnswer> asking = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(Request(), default).AsTask();
        terminal.Type("no");
        Assert.That((await asking).Kind, Is.EqualTo(ConsentAnswerKind.Deny));
    }

    [Test]
    public async Task Console_EndOfInput_Denies() =>
        Assert.That((await new ConsoleConsentProvider(TextReader.Null, TextWriter.Null).RequestAsync(Request(), default)).Kind, Is.EqualTo(ConsentAnswerKind.Deny));

    [Test]
    public async Task Console_LineForAQuestionThatIsOver_DoesNotAnswerTheNext()
    {
        using var terminal = new ScriptedTerminal();
        using var stop = new CancellationTokenSource();
        Task<ConsentAnswer> first = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(Request(), stop.Token).AsTask();
        string old = await terminal.NumberAsync();
        await stop.CancelAsync();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        terminal.Forget();
        Task<ConsentAnswer> second = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(Request(), default).AsTask();
        string number = await terminal.NumberAsync();
        terminal.Type($"once {(old == number ? "0000" : old)}");
        terminal.Type($"tool {number}");
        Assert.That((await second).Kind, Is.EqualTo(ConsentAnswerKind.AllowTool));
    }

    [Test]
    public async Task Pending_ApprovedById_AnswersOnce()
    {
        var pending = new PendingConsents();
        ConsentRequest request = Request();
        Task<ConsentAnswer> asking = pending.RequestAsync(request, default).AsTask();
        Assert.That(pending.List(), Is.EqualTo(new[] { request }));
        Assert.That(pending.TryApprove("another"), Is.False);
        Assert.That(pending.TryApprove(request.RequestId, "ada"), Is.True);
        Assert.That(pending.TryDeny(request.RequestId), Is.False, "answered already");
        ConsentAnswer answer = await asking;
        Assert.That(answer.Kind, Is.EqualTo(ConsentAnswerKind.AllowOnce));
        Assert.That(answer.AnsweredBy, Is.EqualTo("ada"));
        Assert.That(pending.List(), Is.Empty);
    }

    [Test]
    public async Task Pending_AnswerAfterTheEnd_IsIgnored()
    {
        var pending = new PendingConsents();
        ConsentRequest request = Request();
        using var stop = new CancellationTokenSource();
        Task<ConsentAnswer> asking = pending.RequestAsync(request, stop.Token).AsTask();
        await stop.CancelAsync();
        Assert.That(async () => await asking, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(pending.TryApprove(request.RequestId), Is.False);
        Assert.That(pending.List(), Is.Empty);
    }

    [Test]
    public async Task Pending_SeveralQuestions_AreListedByTheirEndAndRaised()
    {
        var pending = new PendingConsents();
        var raised = new List<string>();
        pending.Added += (sender, request) =>
        {
            Assert.That(sender, Is.SameAs(pending));
            raised.Add(request.RequestId);
        };
        ConsentRequest[] requests = [.. ((int[])[3, 1, 2]).Select(minutes => Request(deadline: DateTimeOffset.UnixEpoch.AddMinutes(minutes)))];
        Task<ConsentAnswer>[] asking = [.. requests.Select(request => pending.RequestAsync(request, default).AsTask())];
        Assert.That(raised, Is.EqualTo(requests.Select(request => request.RequestId)));
        Assert.That(pending.List().Select(request => request.Deadline), Is.Ordered);
        Assert.That(async () => await pending.RequestAsync(requests[0], default), Throws.InvalidOperationException.With.Message.Contains("open already"));
        Assert.That(pending.List(), Has.Count.EqualTo(3), "the one that was there stays");
        Assert.That(pending.TryDeny(requests[0].RequestId, "ada"), Is.True);
        Assert.That(pending.TryAnswer(requests[1].RequestId, _ => null!), Is.False, "no answer is none");
        Assert.That(pending.TryAnswer(requests[1].RequestId, request => ConsentAnswer.AllowTool(request)), Is.True);
        Assert.That(pending.TryApprove(requests[2].RequestId), Is.True);
        ConsentAnswer[] answers = await Task.WhenAll(asking);
        Assert.That(answers.Select(answer => (answer.Kind, answer.AnsweredBy)), Is.EqualTo(((ConsentAnswerKind, string?)[])[(ConsentAnswerKind.Deny, "ada"), (ConsentAnswerKind.AllowTool, null), (ConsentAnswerKind.AllowOnce, null)]));
        Assert.That(pending.TryApprove(requests[2].RequestId), Is.False);
    }

    [Test]
    public void Providers_MissingArguments_Throw()
    {
        var pending = new PendingConsents();
        Assert.Multiple(() =>
        {
            Assert.That(() => pending.TryAnswer(null!, ConsentAnswer.Deny), Throws.ArgumentNullException);
            Assert.That(() => pending.TryAnswer("id", null!), Throws.ArgumentNullException);
            Assert.That(async () => await pending.RequestAsync(null!, default), Throws.ArgumentNullException);
            Assert.That(() => new ConsoleConsentProvider(null!, TextWriter.Null), Throws.ArgumentNullException);
            Assert.That(() => new ConsoleConsentProvider(TextReader.Null, null!), Throws.ArgumentNullException);
            Assert.That(async () => await new ConsoleConsentProvider(TextReader.Null, TextWriter.Null).RequestAsync(null!, default), Throws.ArgumentNullException);
            Assert.That(() => new ElicitationConsentProvider(null!), Throws.ArgumentNullException);
            Assert.That(async () => await new ElicitationConsentProvider((_, _) => default, () => true).RequestAsync(null!, default), Throws.ArgumentNullException);
        });
    }

    [Test]
    public async Task Console_Question_ShowsEveryChoiceWithItsNumber()
    {
        using var terminal = new ScriptedTerminal();
        Task<ConsentAnswer> asking = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(Request(), default).AsTask();
        string number = await terminal.NumberAsync();
        Assert.That(
            terminal.Written,
            Does.EndWith($"    no = No\n    once {number} = Yes, this once\n    same {number} = Yes, with exactly these arguments, in this session\n    tool {number} = Yes, this tool with any permitted arguments, in this session\n    never {number} = No, and never ask again\n> "));
        terminal.Type("once");
        await ConsentScenarioTests.Until(() => terminal.Written.EndsWith($"Answer with a word and {number}, or with no.\n", StringComparison.Ordinal));
        terminal.Type($"once {number} please");
        terminal.Type($"  tool   {number}  ");
        Assert.That((await asking).Kind, Is.EqualTo(ConsentAnswerKind.AllowTool));
    }

    [Test]
    public async Task Elicitation_Form_HoldsTheOfferedChoicesWithNoAsItsDefault()
    {
        ElicitRequestParams? shown = null;
        var provider = new ElicitationConsentProvider(
            (form, _) =>
            {
                shown = form;
                return new(new ElicitResult { Action = "accept" });
            },
            () => true);
        Assert.That((await provider.RequestAsync(Request(), default)).Kind, Is.EqualTo(ConsentAnswerKind.Deny), "accepted without content");
        var field = (ElicitRequestParams.TitledSingleSelectEnumSchema)shown!.RequestedSchema!.Properties["answer"];
        Assert.That(shown.RequestedSchema.Required, Is.EqualTo(new[] { "answer" }));
        Assert.That((field.Title, field.Default), Is.EqualTo(("Your answer", "no")));
        Assert.That(field.OneOf!.Select(option => $"{option.Const}: {option.Title}"), Is.EqualTo(ConsentText.Choices(Request()).Select(choice => $"{choice.Word}: {choice.Label}")));
    }

    [TestCase("accept", "\"once\"", ConsentAnswerKind.AllowOnce)]
    [TestCase("accept", "\"tool\"", ConsentAnswerKind.AllowTool)]
    [TestCase("accept", "\"no\"", ConsentAnswerKind.Deny)]
    [TestCase("accept", "\"yes\"", ConsentAnswerKind.Deny)]
    [TestCase("accept", "true", ConsentAnswerKind.Deny)]
    [TestCase("accept", null, ConsentAnswerKind.Deny)]
    [TestCase("decline", "\"once\"", ConsentAnswerKind.Deny)]
    [TestCase("cancel", "\"once\"", ConsentAnswerKind.Deny)]
    public async Task Elicitation_Result_IsTheAnswer(string action, string? content, ConsentAnswerKind expect)
    {
        ElicitRequestParams? shown = null;
        var provider = new ElicitationConsentProvider(
            (form, _) =>
            {
                shown = form;
                using JsonDocument document = JsonDocument.Parse(content is null ? "{}" : $"{{\"answer\":{content}}}");
                return new(new ElicitResult
                {
                    Action = action,
                    Content = document.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.Clone(), StringComparer.Ordinal),
                });
            },
            () => true);
        Assert.That((await provider.RequestAsync(Request(), default)).Kind, Is.EqualTo(expect));
        Assert.That(shown!.Message, Does.StartWith("Allow tool 'delete_file' of server 'files'?"));
    }

    [Test]
    public void Elicitation_ClientWithoutForms_IsAFault()
    {
        var provider = new ElicitationConsentProvider((_, _) => throw new InvalidOperationException("not reached"), () => false);
        Assert.That(async () => await provider.RequestAsync(Request(), default), Throws.InvalidOperationException.With.Message.Contains("forms"));
    }

    [Test]
    public async Task EveryProvider_ChangedTool_ShowsOldAndNewUnderEachOther()
    {
        const string expected = "The tool is not as it was approved:\n    /description\n      was: \"Reads.\"\n      now: \"Sends \\u202E.\"\n    /annotations\n      was: {\n             \"a\": 1\n           }\n      now: (nothing)\n    and 3 more differences\n";
        ConsentRequest request = Request([new ToolChange("/description", "\"Reads.\"", "\"Sends \\u202E.\""), new ToolChange("/annotations", "{\n  \"a\": 1\n}", null)], 3);

        using var terminal = new ScriptedTerminal();
        Task<ConsentAnswer> asking = new ConsoleConsentProvider(terminal, terminal.Output).RequestAsync(request, default).AsTask();
        await terminal.NumberAsync();
        terminal.Type("no");
        await asking;
        Assert.That(terminal.Written, Does.Contain(expected));
        Assert.That(terminal.Written, Does.Contain("Yes, the tool as it is now"));

        string? form = null;
        var elicitation = new ElicitationConsentProvider(
            (shown, _) =>
            {
                form = shown.Message;
                return new(new ElicitResult { Action = "decline" });
            },
            () => true);
        await elicitation.RequestAsync(request, default);
        Assert.That(form, Does.Contain(expected));

        var pending = new PendingConsents();
        Task<ConsentAnswer> queued = pending.RequestAsync(request, default).AsTask();
        Assert.That(pending.List().Single().Changes, Is.EqualTo(request.Changes), "a page shows them itself");
        pending.TryDeny(request.RequestId);
        await queued;
    }

    [TestCase("yes\n", true)]
    [TestCase("y\n", false)]
    [TestCase("", false)]
    public async Task ProviderInUnder15Lines_Answer_IsWhatWasTyped(string typed, bool allows)
    {
        using var output = new StringWriter();
        using var input = new StringReader(typed);
        ConsentAnswer answer = await new TinyConsoleProvider(input, output).RequestAsync(Request(), default);
        Assert.That(answer.Kind, Is.EqualTo(allows ? ConsentAnswerKind.AllowOnce : ConsentAnswerKind.Deny));
        Assert.That(output.ToString(), Does.Contain("'delete_file' of 'files'"));
    }

    private static ConsentRequest Request(IReadOnlyList<ToolChange>? changes = null, int omitted = 0, DateTimeOffset deadline = default) => new()
    {
        RequestId = Guid.NewGuid().ToString("N"),
        DecisionId = "d1",
        ServerId = "files",
        Method = "tools/call",
        ToolName = "delete_file",
        ArgumentsForDisplay = "{}",
        Reasons = ["the tool counts as destructive"],
        Caller = new GuardCaller("ada", "s1"),
        IsDestructive = true,
        IsOpenWorld = true,
        Offered = ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never,
        Deadline = deadline,
        Changes = changes ?? [],
        OmittedChanges = omitted,
    };
}
