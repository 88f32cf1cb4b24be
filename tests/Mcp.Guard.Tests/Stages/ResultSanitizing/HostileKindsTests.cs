using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>
/// Every kind of hostile text at two lengths: what is allocated grows no faster than the text, the result is bounded and a second run changes nothing.
/// How long they take is measured in bench (<c>content-speed</c>).
/// </summary>
[TestFixture]
[Category("Allocation")]
internal sealed class HostileKindsTests
{
    private const int Short = 20_000;
    private const int Long = 4 * Short;

    /// <summary>Buffers are rented and lists doubled: four times the text may take this many times the memory.</summary>
    private const double Growth = 6;
    private const long Constant = 256 * 1024;

    public static IEnumerable<TestCaseData> Kinds => HostileKinds.All.Select((kind, index) => new TestCaseData(index).SetArgDisplayNames(kind.Name));

    [TestCaseSource(nameof(Kinds))]
    public void Sanitize_FourTimesTheText_AllocatesInProportionAndStaysBounded(int kind)
    {
        (string small, string large) = (Text(kind, Short), Text(kind, Long));
        foreach (TextSurface surface in (TextSurface[])[TextSurface.Result, TextSurface.Description])
        {
            string cleaned = TextSanitizer.Default.Sanitize(large, surface).Text;
            Assert.That(cleaned, Has.Length.LessThanOrEqualTo(4 * large.Length));
            Assert.That(TextSanitizer.Default.Sanitize(cleaned, surface).Text, Is.EqualTo(cleaned), "a second run changes nothing");
            Assert.That(
                Allocated(() => TextSanitizer.Default.Sanitize(large, surface)),
                Is.LessThanOrEqualTo((Growth * Allocated(() => TextSanitizer.Default.Sanitize(small, surface))) + Constant));
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void Redact_FourTimesTheText_AllocatesInProportion(int kind)
    {
        (string small, string large) = (Text(kind, Short), Text(kind, Long));
        string redacted = SecretRedactor.Default.Redact(large);
        Assert.That(SecretRedactor.Default.Redact(redacted), Is.EqualTo(redacted), "a second run changes nothing");
        Assert.That(
            Allocated(() => SecretRedactor.Default.Redact(large)),
            Is.LessThanOrEqualTo((Growth * Allocated(() => SecretRedactor.Default.Redact(small))) + Constant));
    }

    private static string Text(int kind, int length) => HostileKinds.Repeat(HostileKinds.All[kind].Start, HostileKinds.All[kind].Piece, length);

    private static long Allocated<T>(Func<T> work)
    {
        work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
