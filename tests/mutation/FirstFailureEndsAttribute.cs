using NUnit.Framework.Interfaces;

namespace Mcp.Guard.Tests.Mutation;

/// <summary>
/// The first test that fails has noticed the mutant: the others of the run are skipped. So are the tests that count allocated bytes, which code with mutants in it
/// allocates more of, and those that look at the library's own types and references, which mutants add to: they would fail for every mutant.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class FirstFailureEndsAttribute : Attribute, ITestAction
{
    private volatile bool _hasFailed;

    public ActionTargets Targets => ActionTargets.Test | ActionTargets.Suite;

    public void BeforeTest(ITest test)
    {
        if (test.IsSuite)
        {
            // The host lives on from mutant to mutant; the assembly begins anew with each.
            _hasFailed = false;
        }
        else if (_hasFailed)
        {
            Assert.Ignore("an earlier test noticed the mutant");
        }
        else if (IsOf("Allocation", test) || IsOf("OwnTypes", test))
        {
            Assert.Ignore("code with mutants in it allocates, and refers to what switches them");
        }
    }

    public void AfterTest(ITest test) => _hasFailed |= !test.IsSuite && TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed;

    // The category of a test with cases stands at their parent.
    private static bool IsOf(string category, ITest? test) => test is not null && (test.Properties["Category"].Contains(category) || IsOf(category, test.Parent));
}
