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
    public async Task ResolveAsync_LargestFileAndLongestName_AreTaken()
    {
        string name = new('n', 128);
        File.WriteAllText(Path.Combine(_folder, "inside", name), new string('x', FileSecretResolver.MaxBytes));
        File.WriteAllText(Path.Combine(_folder, "inside", name + "n"), "longer");
        var resolver = new FileSecretResolver(Path.Combine(_folder, "inside"));
        Assert.That(await resolver.ResolveAsync(name, CancellationToken.None), Has.Length.EqualTo(FileSecretResolver.MaxBytes));
        Assert.That(await resolver.ResolveAsync(name + "n", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task ResolveAsync_LineEndsInsideAndBlanks_ArePartOfTheSecret()
    {
        File.WriteAllText(Path.Combine(_folder, "inside", "pem"), "\na\r\nb \n\r\n");
        Assert.That(await new FileSecretResolver(Path.Combine(_folder, "inside")).ResolveAsync("pem", CancellationToken.None), Is.EqualTo("\na\r\nb "));
    }

    [Test]
    public async Task ResolveAsync_EmptyVariableAndLongName_AreNoSecret()
    {
        const string Name = "MCP_GUARD_TEST_EMPTY";
        string tooLong = new('N', 129);
        string longest = new('N', 128);
        var resolver = new EnvironmentSecretResolver();
        try
        {
            Environment.SetEnvironmentVariable(Name, string.Empty);
            Environment.SetEnvironmentVariable(tooLong, "x");
            Environment.SetEnvironmentVariable(longest, "y");
            Assert.That(await resolver.ResolveAsync(Name, CancellationToken.None), Is.Null);
            Assert.That(await resolver.ResolveAsync(tooLong, CancellationToken.None), Is.Null);
            Assert.That(await resolver.ResolveAsync(longest, CancellationToken.None), Is.EqualTo("y"));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, null);
            Environment.SetEnvironmentVariable(tooLong, null);
            Environment.SetEnvironmentVariable(longest, null);
        }
    }

    [Test]
    public async Task ResolveAsync_SeveralThatKnowIt_TheFirstGivesIt()
    {
        string other = Path.Combine(_folder, "other");
        Directory.CreateDirectory(other);
        File.WriteAllText(Path.Combine(other, "token"), "other");
        var inside = new FileSecretResolver(Path.Combine(_folder, "inside"));
        Assert.That(await new SecretResolution([inside, new FileSecretResolver(other)]).ResolveAsync("token", CancellationToken.None), Is.EqualTo("s3cret"));
        Assert.That(await new SecretResolution([new FileSecretResolver(other), inside]).ResolveAsync("token", CancellationToken.None), Is.EqualTo("other"));
        Assert.That(await new SecretResolution([]).ResolveAsync("token", CancellationToken.None), Is.Null);
        Assert.That(await new SecretResolution([inside]).ResolveAsync("token", new PolicyValue("literal", "absent", true), CancellationToken.None), Is.Null, "a secret that nobody knows is replaced by nothing else");
    }

    [Test]
    public void ResolveAsync_Cancelled_Ends()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.That(async () => await new EnvironmentSecretResolver().ResolveAsync("A", cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await new FileSecretResolver(Path.Combine(_folder, "inside")).ResolveAsync("token", cancelled), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void ToString_Value_NeverShowsIt() => Assert.That(new PolicyValue("hunter2", null, false).ToString(), Does.Not.Contain("hunter2"));
}
