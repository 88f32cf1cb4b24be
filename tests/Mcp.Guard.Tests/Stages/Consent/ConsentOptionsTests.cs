using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class ConsentOptionsTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static IEnumerable<TestCaseData> Edges()
    {
        (string Name, Func<ConsentOptions> Make, bool Holds)[] edges =
        [
            ("defaults", () => new ConsentOptions(), true),
            ("AnswerTimeout 0", () => new ConsentOptions { AnswerTimeout = TimeSpan.Zero }, false),
            ("AnswerTimeout tick", () => new ConsentOptions { AnswerTimeout = Tick }, true),
            ("AnswerTimeout hour", () => new ConsentOptions { AnswerTimeout = TimeSpan.FromHours(1) }, true),
            ("AnswerTimeout more", () => new ConsentOptions { AnswerTimeout = TimeSpan.FromHours(1) + Tick }, false),
            ("MergeWindow less", () => new ConsentOptions { MergeWindow = -Tick }, false),
            ("MergeWindow 0", () => new ConsentOptions { MergeWindow = TimeSpan.Zero }, true),
            ("MergeWindow 5 s", () => new ConsentOptions { MergeWindow = TimeSpan.FromSeconds(5) }, true),
            ("MergeWindow more", () => new ConsentOptions { MergeWindow = TimeSpan.FromSeconds(5) + Tick }, false),
            ("SessionLifetime 0", () => new ConsentOptions { SessionLifetime = TimeSpan.Zero }, false),
            ("SessionLifetime tick", () => new ConsentOptions { SessionLifetime = Tick }, true),
            ("SessionLifetime most", () => new ConsentOptions { SessionLifetime = ConsentOptions.MaxLifetime }, true),
            ("SessionLifetime more", () => new ConsentOptions { SessionLifetime = ConsentOptions.MaxLifetime + Tick }, false),
            ("PromptsPerPeriod 0", () => new ConsentOptions { PromptsPerPeriod = 0 }, false),
            ("PromptsPerPeriod 1", () => new ConsentOptions { PromptsPerPeriod = 1 }, true),
            ("PromptPeriod 0", () => new ConsentOptions { PromptPeriod = TimeSpan.Zero }, false),
            ("PromptPeriod tick", () => new ConsentOptions { PromptPeriod = Tick }, true),
            ("MaxOpenPrompts 0", () => new ConsentOptions { MaxOpenPrompts = 0 }, false),
            ("MaxOpenPrompts 1", () => new ConsentOptions { MaxOpenPrompts = 1 }, true),
            ("MaxOpenPromptsPerUser 0", () => new ConsentOptions { MaxOpenPromptsPerUser = 0 }, false),
            ("MaxOpenPromptsPerUser 1", () => new ConsentOptions { MaxOpenPromptsPerUser = 1 }, true),
            ("MaxMergedCalls 0", () => new ConsentOptions { MaxMergedCalls = 0 }, false),
            ("MaxMergedCalls 1", () => new ConsentOptions { MaxMergedCalls = 1 }, true),
            ("MaxAbandonedPrompts 0", () => new ConsentOptions { MaxAbandonedPrompts = 0 }, false),
            ("MaxAbandonedPrompts 1", () => new ConsentOptions { MaxAbandonedPrompts = 1 }, true),
            ("StoreTimeout 0", () => new ConsentOptions { StoreTimeout = TimeSpan.Zero }, false),
            ("StoreTimeout tick", () => new ConsentOptions { StoreTimeout = Tick }, true),
            ("MaxIntentLength 0", () => new ConsentOptions { MaxIntentLength = 0 }, false),
            ("MaxIntentLength 1", () => new ConsentOptions { MaxIntentLength = 1 }, true),
        ];
        return edges.Select(edge => new TestCaseData(edge.Name, edge.Make, edge.Holds).SetArgDisplayNames(edge.Name));
    }

    [TestCaseSource(nameof(Edges))]
    public void Validate_ValueAtItsEdge_IsNamedWhereItIsOutside(string name, Func<ConsentOptions> make, bool holds) =>
        Assert.That(() => make().Validate(), holds ? Throws.Nothing : Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo(name.Split(' ')[0]));

    [Test]
    public void Service_WithOptionsThatMakeNoSense_IsNotMade() =>
        Assert.That(() => new ConsentDesk(ConsentAnswer.Deny, new ConsentOptions { MaxOpenPrompts = 0 }), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
