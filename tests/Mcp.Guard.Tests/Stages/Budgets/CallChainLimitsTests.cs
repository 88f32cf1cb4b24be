using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Tests.Stages.Budgets;

[TestFixture]
internal sealed class CallChainLimitsTests
{
    [TestCase(null, 1)]
    [TestCase("""{"allow":true}""", 1)]
    [TestCase("""{"allow":true,"maxDepth":1}""", 1)]
    [TestCase("""{"allow":true,"maxDepth":3}""", 3)]
    public async Task Of_SettingsOfAServer_AreItsDepthAndTheRecommendedNumber(string? sampling, int depth)
    {
        await using var guard = new GuardFixture(server =>
        {
            if (sampling is not null)
            {
                server.With("sampling", sampling);
            }
        });
        ServerSettings settings = guard.Host.Runtime.Policy.Current.Servers["test"];
        Assert.That(CallChainLimits.Of(settings), Is.EqualTo(new CallChainLimits { MaxSamplingDepth = depth, MaxCaused = 16 }));
    }

    [Test]
    public void Of_ServerThatThePolicyDoesNotName_AreTheRecommended() => Assert.That(CallChainLimits.Of(null), Is.EqualTo(new CallChainLimits { MaxSamplingDepth = 1, MaxCaused = 16 }));
}
