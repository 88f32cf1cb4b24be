using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Budgets;

/// <summary>No two keys that differ in any part may count as one, whatever their hashes have in common.</summary>
[TestFixture]
internal sealed class BudgetKeyComparerTests
{
    private static readonly BudgetKey Key = new("identical", "user", "session", "server", "tool", new string('0', 64));

    private static IEnumerable<BudgetKey> Others =>
    [
        Key with { BudgetId = "tool" },
        Key with { UserId = "other" },
        Key with { SessionId = "other" },
        Key with { Server = "other" },
        Key with { Server = null },
        Key with { Tool = "other" },
        Key with { Tool = null },
        Key with { ArgumentsDigest = new string('0', 63) + "1" },
        Key with { ArgumentsDigest = null },
        new("identical", "session", "user", "server", "tool", new string('0', 64)),
        new("identical", "user", "session", "tool", "server", new string('0', 64)),
    ];

    [TestCaseSource(nameof(Others))]
    public void Equals_OnePartDiffers_False(BudgetKey other) => Assert.That(BudgetKeyComparer.Instance.Equals(Key, other), Is.False);

    [Test]
    public void Equals_SameParts_TrueWithTheSameHash()
    {
        BudgetKey same = Key with { ArgumentsDigest = string.Concat(Enumerable.Repeat("0", 64)), UserId = string.Concat("us", "er") };
        Assert.Multiple(() =>
        {
            Assert.That(BudgetKeyComparer.Instance.Equals(Key, same), Is.True);
            Assert.That(BudgetKeyComparer.Instance.GetHashCode(same), Is.EqualTo(BudgetKeyComparer.Instance.GetHashCode(Key)));
        });
    }

    [Test]
    public void Consent_OnePartDiffers_IsAnotherKey()
    {
        var key = new ConsentGrantKey("server", "method", "tool", "user");
        Assert.Multiple(() =>
        {
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, key with { Server = "other" }), Is.False);
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, key with { Method = "other" }), Is.False);
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, key with { Tool = "other" }), Is.False);
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, key with { UserId = "other" }), Is.False);
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, new ConsentGrantKey("server", "method", "user", "tool")), Is.False);
            Assert.That(ConsentGrantKeyComparer.Instance.Equals(key, key with { Server = string.Concat("ser", "ver") }), Is.True);
            Assert.That(ConsentGrantKeyComparer.Instance.GetHashCode(key with { Tool = string.Concat("to", "ol") }), Is.EqualTo(ConsentGrantKeyComparer.Instance.GetHashCode(key)));
        });
    }
}
