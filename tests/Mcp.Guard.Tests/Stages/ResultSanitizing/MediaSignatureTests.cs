using System.Text.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>The signature of each type, byte by byte, and where in a result binary content is judged.</summary>
[TestFixture]
internal sealed class MediaSignatureTests
{
    [TestCase("image/png", "89504E470D0A1A0A")]
    [TestCase("image/jpeg", "FFD8FF")]
    [TestCase("image/gif", "474946383761")]
    [TestCase("image/gif", "474946383961")]
    [TestCase("image/webp", "52494646AABBCCDD57454250")]
    [TestCase("image/bmp", "424D")]
    [TestCase("image/tiff", "49492A00")]
    [TestCase("image/tiff", "4D4D002A")]
    [TestCase("image/avif", "0000001C6674797061766966")]
    [TestCase("image/avif", "0000001C6674797061766973")]
    [TestCase("image/heic", "0000001C6674797068656963")]
    [TestCase("image/heic", "0000001C6674797068656978")]
    [TestCase("image/heic", "0000001C667479706D696631")]
    [TestCase("image/x-icon", "00000100")]
    [TestCase("audio/wav", "52494646AABBCCDD57415645")]
    [TestCase("audio/x-wav", "52494646AABBCCDD57415645")]
    [TestCase("audio/mpeg", "494433")]
    [TestCase("audio/mp3", "494433")]
    [TestCase("audio/ogg", "4F676753")]
    [TestCase("audio/flac", "664C6143")]
    [TestCase("audio/mp4", "0000001C667479704D344120")]
    [TestCase("audio/mp4", "0000001C6674797069736F6D")]
    [TestCase("audio/mp4", "0000001C667479706D703432")]
    [TestCase("audio/mp4", "0000001C667479706D703431")]
    [TestCase("audio/mp4", "0000001C6674797064617368")]
    [TestCase("audio/webm", "1A45DFA3")]
    [TestCase("audio/aiff", "464F524DAABBCCDD41494646")]
    [TestCase("audio/aiff", "464F524DAABBCCDD41494643")]
    public void Judge_SignatureOfTheType_IsNeededWhole(string type, string signature)
    {
        byte[] bytes = Convert.FromHexString(signature);
        Assert.That(Judge(type, bytes), Is.EqualTo(MediaVerdict.Matches));
        Assert.That(Judge(type, [.. bytes, 1, 2, 3]), Is.EqualTo(MediaVerdict.Matches));
        Assert.That(Judge(type, bytes[..^1]), Is.EqualTo(MediaVerdict.Mismatch), "one byte short");
        foreach (int at in (int[])[0, bytes.Length - 1])
        {
            bool isSize = at == 0 && bytes[0] == 0 && bytes.Length == 12;
            byte[] other = [.. bytes];
            other[at] ^= 0x40;
            Assert.That(Judge(type, other), Is.EqualTo(isSize ? MediaVerdict.Matches : MediaVerdict.Mismatch), $"another byte at {at}");
        }

        if (bytes.Length == 12)
        {
            byte[] other = [.. bytes];
            other[bytes[0] == 0 ? 4 : 3] ^= 0x40;
            Assert.That(Judge(type, other), Is.EqualTo(MediaVerdict.Mismatch), "another container");
        }
    }

    [TestCase("audio/mpeg", "FFFB9000", true)]
    [TestCase("audio/mpeg", "FFF29000", true)]
    [TestCase("audio/mpeg", "FFE2", true)]
    [TestCase("audio/mpeg", "FFF0", false)]
    [TestCase("audio/mpeg", "FFDB", false)]
    [TestCase("audio/mpeg", "FEFB", false)]
    [TestCase("audio/mpeg", "FF", false)]
    [TestCase("audio/aac", "FFF1", true)]
    [TestCase("audio/aac", "FFF9", true)]
    [TestCase("audio/aac", "FFFB", false)]
    [TestCase("audio/aac", "FEF1", false)]
    [TestCase("audio/aac", "FF", false)]
    public void Judge_FrameOfAStream_IsToldByItsBits(string type, string head, bool matches) =>
        Assert.That(Judge(type, Convert.FromHexString(head)), Is.EqualTo(matches ? MediaVerdict.Matches : MediaVerdict.Mismatch));

    [TestCase(12, "Matches")]
    [TestCase(11, "TooLarge")]
    [TestCase(1, "TooLarge")]
    public void Judge_Size_MayBeTheLimitAndNoMore(long maxBytes, string verdict)
    {
        string content = Convert.ToBase64String(Convert.FromHexString("89504E470D0A1A0A00000001"));
        var check = new MediaCheck(maxBytes: maxBytes);
        Assert.That(check.Judge("image/png", content).ToString(), Is.EqualTo(verdict));
        Assert.That(check.JudgeBlob("application/pdf", content).ToString(), Is.EqualTo(verdict));
    }

    [TestCase("application/pdf", "AAAA", "Matches")]
    [TestCase(null, "AAAA", "Matches")]
    [TestCase(null, "!!!!", "NotBase64")]
    [TestCase("image/png", "AAAA", "Mismatch")]
    [TestCase("IMAGE/PNG; a=b", "AAAA", "Mismatch")]
    [TestCase("audio/wav", "AAAA", "Mismatch")]
    [TestCase("image/svg+xml", "AAAA", "TypeNotAllowed")]
    [TestCase("image/png", "iVBO\nRw0KGgo=", "Matches")]
    public void JudgeBlob_Type_DecidesWhatIsLookedAt(string? type, string base64, string verdict) => Assert.That(MediaCheck.Default.JudgeBlob(type, base64).ToString(), Is.EqualTo(verdict));

    [Test]
    public void Judge_TypeThatThePolicyDoesNotList_IsNotAllowed()
    {
        var check = new MediaCheck(["IMAGE/GIF"]);
        Assert.That(check.Judge("image/gif", Convert.ToBase64String("GIF89a"u8)), Is.EqualTo(MediaVerdict.Matches));
        Assert.That(check.Judge("image/png", "iVBORw0KGgo="), Is.EqualTo(MediaVerdict.TypeNotAllowed));
    }

    [TestCase("image/png", true)]
    [TestCase("IMAGE/PNG", false)]
    [TestCase("image/svg+xml", false)]
    public void CanTell_Type_IsOneOfTheListInLowerCase(string type, bool expected)
    {
        Assert.That(MediaCheck.CanTell(type), Is.EqualTo(expected));
        Assert.That(MediaCheck.Types, Is.Ordered.Using<string>(StringComparer.Ordinal).And.Contains("audio/aiff").And.Exactly(19).Items);
    }

    [TestCase("""{"content":[{"type":"image","mimeType":"image/png","data":"iVBORw0KGgo="}]}""", null)]
    [TestCase("""{"content":[{"type":"image","mimeType":"image/png"}]}""", "an image or audio block without data")]
    [TestCase("""{"content":[{"type":"audio","mimeType":"audio/wav","data":1}]}""", "an image or audio block without data")]
    [TestCase("""{"content":[{"type":"text","text":"a"},{"type":"image","mimeType":"image/png","data":"AAAA"}]}""", "binary content was refused: Mismatch")]
    [TestCase("""{"content":[{"type":"image","data":"iVBORw0KGgo="}]}""", "binary content was refused: TypeNotAllowed")]
    [TestCase("""{"content":[{"type":"image","mimeType":7,"data":"iVBORw0KGgo="}]}""", "binary content was refused: TypeNotAllowed")]
    [TestCase("""{"content":{"type":"image","mimeType":"image/png","data":"AAAA"}}""", "binary content was refused: Mismatch")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"image","mimeType":"image/png","data":"AAAA"}}]}""", "binary content was refused: Mismatch")]
    [TestCase("""{"contents":[{"uri":"a:b","blob":"!!!!"}]}""", "binary content was refused: NotBase64")]
    [TestCase("""{"contents":[{"uri":"a:b","blob":7}]}""", "binary content that is not a text in base64")]
    [TestCase("""{"contents":[{"uri":"a:b","mimeType":"application/pdf","blob":"AAAA"}]}""", null)]
    [TestCase("""{"content":[{"type":"resource","resource":{"uri":"a:b","mimeType":"image/png","blob":"AAAA"}}]}""", "binary content was refused: Mismatch")]
    [TestCase("""{"content":[{"type":"tool_result","content":[{"type":"image","mimeType":"image/png","data":"AAAA"}]}]}""", "binary content was refused: Mismatch")]
    [TestCase("""{"content":[{"type":"text","data":"!!!!"}],"structuredContent":{"blob":"!!!!","image":{"type":"image"}}}""", null)]
    [TestCase("""[{"type":"image"}]""", null)]
    public void FaultOf_Result_IsThatOfItsFirstBinaryContent(string result, string? fault)
    {
        using JsonDocument document = JsonDocument.Parse(result);
        Assert.That(MediaStage.FaultOf(document.RootElement, ContentPlace.Result, MediaCheck.Default), Is.EqualTo(fault));
    }

    private static MediaVerdict Judge(string type, byte[] content) => MediaCheck.Default.Judge(type, Convert.ToBase64String(content));
}
