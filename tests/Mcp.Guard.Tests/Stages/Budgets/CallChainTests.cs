using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Tests.Stages.Budgets;

[TestFixture]
internal sealed class CallChainTests
{
    [Test]
    public void ForSampling_InsideSampling_IsRefusedAtTheDepth()
    {
        var limits = new CallChainLimits { MaxSamplingDepth = 2, MaxCaused = 100 };
        CallChain chain = CallChain.ForCall(null, limits)!;
        for (int depth = 1; depth <= 2; depth++)
        {
            chain = CallChain.ForCall(CallChain.ForSampling(chain, limits), limits)!;
            Assert.That(chain.Depth, Is.EqualTo(depth));
        }

        Assert.That(CallChain.ForSampling(chain, limits), Is.Null);
        Assert.That(CallChain.ForSampling(null, limits), Is.Null, "a request that belongs to no call is refused");
    }

    [Test]
    public void ForCall_CausedBySampling_CountsAgainstTheRoot()
    {
        var limits = new CallChainLimits { MaxSamplingDepth = 1, MaxCaused = 5 };
        CallChain root = CallChain.ForCall(null, limits)!;
        CallChain sampling = CallChain.ForSampling(root, limits)!;
        int calls = 0;
        while (CallChain.ForCall(sampling, limits) is not null)
        {
            calls++;
        }

        Assert.That(calls, Is.EqualTo(4));
        Assert.That(CallChain.ForSampling(root, limits), Is.Null);
        Assert.That(CallChain.ForCall(null, limits), Is.Not.Null, "another root has its own budget");
    }

    [Test]
    public async Task Enter_AsyncCode_SeesTheChainAndLosesItAfter()
    {
        CallChain chain = CallChain.ForSampling(CallChain.ForCall(null, CallChainLimits.Default), CallChainLimits.Default)!;
        using (chain.Enter())
        {
            await Task.Yield();
            Assert.That(await Task.Run(() => CallChain.Current), Is.SameAs(chain));
        }

        Assert.That(CallChain.Current, Is.Null);
    }
}
