using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class SecretResolverTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-secrets-").FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "inside"));
        File.WriteAllText(Path.Combine(_folder, "outside"), "outside");
        File.WriteAllText(Path.Combine(_folder, "inside", "token"), "s3cret\r\n");
        File.WriteAllText(Path.Combine(_folder, "inside", "empty"), "\n");
        File.WriteAllBytes(Path.Combine(_folder, "inside", "binary"), [0xFF, 0xFE, 0x00]);
        File.WriteAllText(Path.Combine(_folder, "inside", "large"), new string('x', FileSecretResolver.MaxBytes + 1));
        Directory.CreateDirectory(Path.Combine(_folder, "inside", "folder"));
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("token", "s3cret")]
    [TestCase("empty", null)]
    [TestCase("binary", null)]
    [TestCase("large", null)]
    [TestCase("folder", null)]
    [TestCase("absent", null)]
    [TestCase("../outside", null)]
    [TestCase("..", null)]
    [TestCase("", null)]
    [TestCase("/etc/hostname", null)]
    public async Task ResolveAsync_File_GivesOnlyPlainNames(string name, string? expected) =>
        Assert.That(await new FileSecretResolver(Path.Combine(_folder, "inside")).ResolveAsync(name, CancellationToken.None), Is.EqualTo(expected));

    [Test]
    public async Task ResolveAsync_Environment_GivesTheVariableOfThatName()
    {
        const string Name = "MCP_GUARD_TEST_SECRET";
        Environment.SetEnvironmentVariable(Name, "value");
        try
        {
            var resolver = new EnvironmentSecretResolver();
            Assert.That(await resolver.ResolveAsync(Name, CancellationToken.None), Is.EqualTo("value"));
            Assert.That(await resolver.ResolveAsync("MCP_GUARD_TEST_ABSENT", CancellationToken.None), Is.Null);
            Assert.That(await resolver.ResolveAsync("A=B", CancellationToken.None), Is.Null);

            var all = new SecretResolution([new FileSecretResolver(Path.Combine(_folder, "inside")), resolver]);
            Assert.That(await all.ResolveAsync(Name, CancellationToken.None), Is.EqualTo("value"), "the first that knows it gives it");
            Assert.That(await all.ResolveAsync("X", new PolicyValue(null, "token", false), CancellationToken.None), Is.EqualTo("s3cret"));
            Assert.That(await all.ResolveAsync(Name, new PolicyValue(null, null, true), CancellationToken.None), Is.EqualTo("value"));
            Assert.That(await all.ResolveAsync("X", new PolicyValue("plain", null, false), CancellationToken.None), Is.EqualTo("plain"));
            Assert.That(await all.ResolveAsync("X", new PolicyValue(null, "nobody", false), CancellationToken.None), Is.Null);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, null);
        }
    }

    [Test]
    public void ToString_Value_NeverShowsIt() => Assert.That(new PolicyValue("hunter2", null, false).ToString(), Does.Not.Contain("hunter2"));
}
