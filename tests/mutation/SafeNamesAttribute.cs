using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Mcp.Guard.Tests.Mutation;

/// <summary>
/// Gives every test a name of letters, digits, points and underscores. Mutation tests run tests by name, and the NUnit adapter (6.3.1) cannot read back a name that
/// holds certain escapes ("Unrecognized escape sequence" in FullyQualifiedNameFilterParser), as cases about hostile text do.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class SafeNamesAttribute : Attribute, IApplyToTest
{
    /// <summary>Longer names are cut; their number keeps them apart.</summary>
    private const int MaxLength = 120;

    public void ApplyToTest(Test test) => Rename(test, new Dictionary<string, int>(StringComparer.Ordinal));

    private static void Rename(ITest test, Dictionary<string, int> taken)
    {
        foreach (ITest child in test.Tests)
        {
            Rename(child, taken);
        }

        if (!test.IsSuite && test is Test leaf)
        {
            leaf.Name = Safe(leaf.Name);
            string name = leaf.ClassName + "." + leaf.Name;
            int before = taken.GetValueOrDefault(name);
            taken[name] = before + 1;
            if (before > 0)
            {
                leaf.Name += $"_{before}";
            }

            leaf.FullName = leaf.ClassName + "." + leaf.Name;
        }
    }

    private static string Safe(string name) => string.Concat(name.Take(MaxLength).Select(static c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '_'));
}
