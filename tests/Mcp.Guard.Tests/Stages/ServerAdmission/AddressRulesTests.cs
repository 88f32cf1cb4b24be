using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>
/// The registries as they are published, block by block, against the arithmetic of <see cref="AddressRules"/>: at both ends of every block, beside them, and at
/// random. The longest block that holds an address decides.
/// </summary>
[TestFixture]
internal sealed class AddressRulesTests
{
    // IANA IPv4 Special-Purpose Address Registry; what clouds publish.
    private static readonly (IPNetwork Block, string Scope)[] V4 = Blocks(
        "0.0.0.0/0 Public", "0.0.0.0/8 Reserved", "10.0.0.0/8 Private", "100.64.0.0/10 Private", "127.0.0.0/8 Loopback", "169.254.0.0/16 LinkLocal", "172.16.0.0/12 Private",
        "192.0.0.0/24 Reserved", "192.0.2.0/24 Reserved", "192.88.99.0/24 Reserved", "192.168.0.0/16 Private", "198.18.0.0/15 Reserved", "198.51.100.0/24 Reserved",
        "203.0.113.0/24 Reserved", "224.0.0.0/4 Reserved", "240.0.0.0/4 Reserved", "169.254.169.254/32 Metadata", "169.254.170.2/32 Metadata", "169.254.170.23/32 Metadata",
        "168.63.129.16/32 Metadata", "192.0.0.192/32 Metadata", "100.100.100.200/32 Metadata");

    // IANA IPv6 Special-Purpose Address Registry; of 64:ff9b::/96 and ::ffff:0:0/96 the address inside decides.
    private static readonly (IPNetwork Block, string Scope)[] V6 = Blocks(
        "::/0 Reserved", "2000::/3 Public", "::1/128 Loopback", "fc00::/7 Private", "fe80::/10 LinkLocal", "2001::/23 Reserved", "2001:db8::/32 Reserved", "2002::/16 Reserved",
        "3fff::/20 Reserved", "fd00:ec2::254/128 Metadata", "fd20:ce::254/128 Metadata");

    private static readonly byte[][] Carriers =
    [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0],
    ];

    [Test]
    public void Classify_EndsOfEveryBlock_AreOfTheirBlock() => Assert.Multiple(() =>
    {
        foreach ((IPNetwork block, _) in V4.Concat(V6))
        {
            foreach (IPAddress address in Ends(block))
            {
                Assert.That(AddressRules.Classify(address).ToString(), Is.EqualTo(Expected(address)), $"{address} at an end of {block}");
            }
        }
    });

    [Test]
    public void Classify_RandomAddress_IsOfItsLongestBlock() =>
        Check.One(Properties.Config(), Prop.ForAll(
            Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(16).ToArbitrary(), Gen.Choose(0, V4.Length + V6.Length - 1).ToArbitrary(), (noise, at) =>
            {
                // Half of the addresses lie in the neighbourhood of a block, where a wrong mask shows.
                IPNetwork block = V4.Concat(V6).ElementAt(at).Block;
                byte[] bytes = block.BaseAddress.GetAddressBytes();
                for (int bit = Math.Max(0, block.PrefixLength - (noise[0] % 3)); bit < 8 * bytes.Length; bit++)
                {
                    bytes[bit / 8] ^= (byte)(noise[bit / 8] & (0x80 >> (bit % 8)));
                }

                return new[] { new IPAddress(bytes), new IPAddress(noise), new IPAddress(noise[..4]) }.All(address => AddressRules.Classify(address).ToString() == Expected(address));
            }));

    [Test]
    public void Classify_AddressThatCarriesOne_IsThatOfTheOneInside() => Assert.Multiple(() =>
    {
        foreach (IPAddress inside in V4.SelectMany(entry => Ends(entry.Block)))
        {
            foreach (byte[] carrier in Carriers)
            {
                var address = new IPAddress([.. carrier, .. inside.GetAddressBytes()]);
                Assert.That(AddressRules.Classify(address).ToString(), Is.EqualTo(Expected(inside)), $"{address}");
            }

            // ISATAP (RFC 5214): behind 0:5efe and 200:5efe of a public prefix.
            foreach (byte[] marker in (byte[][])[[0, 0, 0x5E, 0xFE], [2, 0, 0x5E, 0xFE]])
            {
                var address = new IPAddress([0x26, 0x06, 0x47, 0, 0, 0, 0, 0, .. marker, .. inside.GetAddressBytes()]);
                Assert.That(AddressRules.Classify(address).ToString(), Is.EqualTo(Expected(inside) == "Public" ? "Public" : "Reserved"), $"{address}");
            }

            var other = new IPAddress([0x26, 0x06, 0x47, 0, 0, 0, 0, 0, 1, 0, 0x5E, 0xFE, .. inside.GetAddressBytes()]);
            Assert.That(AddressRules.Classify(other).ToString(), Is.EqualTo("Public"), "no marker of ISATAP, so the last bits are no address");
        }
    });

    [TestCase("fe80::1%3", "LinkLocal")]
    [TestCase("2606:4700::1%3", "Reserved")]
    [TestCase("::1%3", "Reserved")]
    public void Classify_AddressWithAScope_IsOfThisMachinesInterfaces(string address, string scope) =>
        Assert.That(AddressRules.Classify(IPAddress.Parse(address)).ToString(), Is.EqualTo(scope));

    private static string Expected(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        if (bytes.Length == 16 && Carriers.Any(carrier => bytes.AsSpan().StartsWith(carrier)))
        {
            return Expected(new IPAddress(bytes[12..]));
        }

        string scope = (bytes.Length == 4 ? V4 : V6).Where(entry => entry.Block.Contains(address)).MaxBy(entry => entry.Block.PrefixLength).Scope;
        return scope == "Public" && bytes.Length == 16 && (bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE && Expected(new IPAddress(bytes[12..])) != "Public" ? "Reserved" : scope;
    }

    /// <summary>The first and last address of a block, and those beside them.</summary>
    private static IEnumerable<IPAddress> Ends(IPNetwork block)
    {
        byte[] first = block.BaseAddress.GetAddressBytes();
        byte[] last = [.. first];
        for (int bit = block.PrefixLength; bit < 8 * last.Length; bit++)
        {
            last[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return [new(first), new(last), Step(first, -1), Step(first, 1), Step(last, -1), Step(last, 1)];
    }

    private static IPAddress Step(byte[] bytes, int by)
    {
        byte[] next = [.. bytes];
        for (int i = next.Length - 1; i >= 0; i--)
        {
            next[i] = (byte)(next[i] + by);
            if (next[i] != (by < 0 ? 0xFF : 0))
            {
                break;
            }
        }

        return new(next);
    }

    private static (IPNetwork Block, string Scope)[] Blocks(params string[] lines) => [.. lines.Select(line => (IPNetwork.Parse(line.Split(' ')[0]), line.Split(' ')[1]))];
}
