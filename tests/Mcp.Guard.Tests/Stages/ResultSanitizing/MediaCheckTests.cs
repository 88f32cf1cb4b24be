using System.Text;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

[TestFixture]
internal sealed class MediaCheckTests
{
    private static readonly byte[] Png = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13];

    [Test]
    public void Judge_DeclaredTypeIsTheContents_Matches() => Assert.That(Judge("image/png", Png), Is.EqualTo(MediaVerdict.Matches));

    [TestCase("image/jpeg")]
    [TestCase("audio/wav")]
    [TestCase("image/GIF; x=y")]
    public void Judge_AnotherType_IsAMismatch(string type) => Assert.That(Judge(type, Png), Is.EqualTo(MediaVerdict.Mismatch));

    [TestCase("image/svg+xml")]
    [TestCase("text/html")]
    [TestCase("application/octet-stream")]
    [TestCase(null)]
    public void Judge_TypeThatIsNotListed_IsNotAllowed(string? type) => Assert.That(Judge(type, Png), Is.EqualTo(MediaVerdict.TypeNotAllowed));

    [Test]
    public void Judge_HtmlCalledAnImage_IsAMismatch() =>
        Assert.That(Judge("image/png", Encoding.ASCII.GetBytes("<html><script>1</script>")), Is.EqualTo(MediaVerdict.Mismatch));

    [Test]
    public void Judge_EmptyContent_IsAMismatch() => Assert.That(Judge("image/png", []), Is.EqualTo(MediaVerdict.Mismatch));

    [Test]
    public void Judge_NoBase64_IsRefused() => Assert.That(MediaCheck.Default.Judge("image/png", "!!!!"), Is.EqualTo(MediaVerdict.NotBase64));

    [Test]
    public void Judge_TooManyBytes_IsRefused() =>
        Assert.That(new MediaCheck(maxBytes: 8).Judge("image/png", Convert.ToBase64String(Png)), Is.EqualTo(MediaVerdict.TooLarge));

    [Test]
    public void Judge_UnknownTypeOnTheList_IsStillRefused() =>
        Assert.That(new MediaCheck(["image/unknown"]).Judge("image/unknown", "AAAA"), Is.EqualTo(MediaVerdict.TypeNotAllowed));

    private static MediaVerdict Judge(string? type, byte[] content) => MediaCheck.Default.Judge(type, Convert.ToBase64String(content));
}
