using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>What was seen to hold no credential is remembered; nothing else may be.</summary>
[TestFixture]
internal sealed class AuditTextsTests
{
    private const string Token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

    [Test]
    public void Redact_TheSameTextsAgain_TheSameEachTime() => Assert.Multiple(() =>
    {
        for (int i = 0; i < 3; i++)
        {
            AuditRecord clean = Record("ada@example.test", "denied by rule no-moves");
            Assert.That(AuditTexts.Redact(clean), Is.SameAs(clean));

            AuditRecord redacted = AuditTexts.Redact(Record(Token, $"the server said {Token}"));
            Assert.That(redacted.UserId, Does.Not.Contain(Token).And.Contain("[redacted"));
            Assert.That(redacted.Reason, Does.Not.Contain(Token).And.Contain("[redacted"));
        }
    });

    [Test]
    public void Redact_ManyOtherTextsBetween_EveryCredentialIsTaken() => Assert.Multiple(() =>
    {
        // More than there are places, so that every place is written to by both kinds.
        for (int i = 0; i < 2_000; i++)
        {
            AuditRecord clean = Record($"user-{i}@example.test", null);
            Assert.That(AuditTexts.Redact(clean), Is.SameAs(clean));
            Assert.That(AuditTexts.Redact(Record($"{i} {Token}", null)).UserId, Does.Not.Contain(Token));
        }
    });

    private static AuditRecord Record(string user, string? reason) => new()
    {
        Kind = AuditKind.Denial,
        Time = DateTimeOffset.UnixEpoch,
        DecisionId = "01989a5e-7f00-7000-8000-000000000001",
        UserId = user,
        Reason = reason,
    };
}
