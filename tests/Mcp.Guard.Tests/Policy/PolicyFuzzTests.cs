using System.Text;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Whatever stands in the file, the reader gives a policy or its one typed exception.</summary>
[TestFixture]
internal sealed class PolicyFuzzTests
{
    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "1e999", "\"\\ud800\"", "\"servers\"", "\"rules\"", "\"tools\"", "\"*\"", "{\"secret\":\"x\"}", "\u0000", "\"\\u0000\"", "//", "\uFEFF",
        "\"../..\"", "\"/\"", "\"~\"", "\"30s\"", "\"99999999999999999999d\"", "\"when\"", "{\"$fake\":\"refuse\",\"at\":\"/a/b/0/~2\"}", "0.0000000000000000000000000000001", "\"\\\\?\\C:\"",
    ];

    [Test]
    public void Read_RandomBytes_ThrowsNothingElse()
    {
        var random = new Random(1);
        for (int i = 0; i < Count; i++)
        {
            byte[] bytes = new byte[random.Next(0, 64)];
            random.NextBytes(bytes);
            ReadAnything(bytes);
        }
    }

    [Test]
    public void Read_MutatedDocuments_ThrowsNothingElse()
    {
        byte[][] seeds = [Encoding.UTF8.GetBytes(PolicyTexts.Design), File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json"))];
        var random = new Random(2);
        int accepted = 0;
        for (int i = 0; i < Count; i++)
        {
            byte[] bytes = seeds[i % seeds.Length];
            for (int changes = random.Next(1, 5); changes > 0; changes--)
            {
                bytes = Mutate(bytes, random);
            }

            accepted += ReadAnything(bytes) ? 1 : 0;
        }

        Assert.That(accepted, Is.InRange(1, Count - 1), "some changes spare the meaning, most do not");
    }

    private static int Count => Properties.IsLong ? 100_000 : 3_000;

    private static bool ReadAnything(byte[] bytes)
    {
        try
        {
            PolicySnapshot policy = PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options);
            foreach (ServerSettings server in policy.Servers.Values)
            {
                server.ForTool("read_file").Judge(default);
            }

            return true;
        }
        catch (McpGuardPolicyException e)
        {
            Assert.That(e.Errors, Is.Not.Empty);
            Assert.That(e.Errors.Select(error => error.Message), Has.None.StartsWith(PublishedPolicySchema.Refusal), Encoding.UTF8.GetString(bytes));
            Assert.That(e.Errors, Has.All.Matches<GuardPolicyError>(error => error!.Line >= 1 && error.Column >= 1 && error.Message.Length > 0 && error.Fix.Length > 0));
            return false;
        }
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length + 1);
        int length = Math.Min(random.Next(0, 12), bytes.Length - at);
        byte[] inserted = random.Next(4) switch
        {
            0 => [],
            1 => [(byte)random.Next(256)],
            2 => Encoding.UTF8.GetBytes(Fragments[random.Next(Fragments.Length)]),
            _ => bytes[Math.Max(0, at - 40)..at],
        };
        return [.. bytes.AsSpan(0, at), .. inserted, .. bytes.AsSpan(at + length)];
    }
}
