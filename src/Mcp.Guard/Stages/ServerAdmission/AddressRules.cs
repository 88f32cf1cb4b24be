using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Sorts addresses by the IANA special-purpose registries (RFC 6890 and its successors) and the metadata addresses that clouds publish.
/// Addresses that carry an IPv4 address are judged by the one inside, or refused where the carrier is a tunnel.
/// </summary>
internal static class AddressRules
{
    public static AddressScope Classify(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out int written))
        {
            return AddressScope.Reserved;
        }

        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork when written == 4 => ClassifyV4(BinaryPrimitives.ReadUInt32BigEndian(bytes)),
            // A scope makes the meaning depend on an interface of this machine.
            AddressFamily.InterNetworkV6 when written == 16 && address.ScopeId == 0 => ClassifyV6(bytes),
            AddressFamily.InterNetworkV6 when written == 16 && address.IsIPv6LinkLocal => AddressScope.LinkLocal,
            _ => AddressScope.Reserved,
        };
    }

    public static AddressScope ClassifyV4(uint address) => address switch
    {
        0xA9FEA9FE      // 169.254.169.254: AWS, Azure, Google, Oracle and others
            or 0xA9FEAA02   // 169.254.170.2: AWS ECS
            or 0xA9FEAA17   // 169.254.170.23: AWS EKS
            or 0xA83F8110   // 168.63.129.16: Azure wire server
            or 0xC00000C0   // 192.0.0.192: Oracle
            or 0x646464C8   // 100.100.100.200: Alibaba
            => AddressScope.Metadata,
        _ => (address >> 24) switch
        {
            0 => AddressScope.Reserved,
            10 => AddressScope.Private,
            127 => AddressScope.Loopback,
            100 when (address & 0xFFC00000) == 0x64400000 => AddressScope.Private,
            169 when (address & 0xFFFF0000) == 0xA9FE0000 => AddressScope.LinkLocal,
            172 when (address & 0xFFF00000) == 0xAC100000 => AddressScope.Private,
            192 => (address & 0xFFFFFF00) switch
            {
                0xC0000000 or 0xC0000200 or 0xC0586300 => AddressScope.Reserved, // protocol assignments, TEST-NET-1, 6to4 relays
                _ => (address & 0xFFFF0000) == 0xC0A80000 ? AddressScope.Private : AddressScope.Public,
            },
            198 when (address & 0xFFFE0000) == 0xC6120000 || (address & 0xFFFFFF00) == 0xC6336400 => AddressScope.Reserved, // benchmarks, TEST-NET-2
            203 when (address & 0xFFFFFF00) == 0xCB007100 => AddressScope.Reserved, // TEST-NET-3
            >= 224 => AddressScope.Reserved, // multicast, class E, broadcast
            _ => AddressScope.Public,
        },
    };

    public static AddressScope ClassifyV6(ReadOnlySpan<byte> bytes)
    {
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        uint inside = (uint)low;
        if (high == 0)
        {
            return (low >> 32) switch
            {
                0 when low == 1 => AddressScope.Loopback,
                0x0000FFFF => ClassifyV4(inside), // ::ffff:0:0/96, mapped
                _ => AddressScope.Reserved,       // unspecified, the deprecated compatible form, ::ffff:0:0:0/96
            };
        }

        if (high == 0x0064FF9B_00000000 && low >> 32 == 0)
        {
            return ClassifyV4(inside); // 64:ff9b::/96, NAT64 (RFC 6052)
        }

        if ((high == 0xFD000EC2_00000000 && low == 0x254) || (high == 0xFD2000CE_00000000 && low == 0x254))
        {
            return AddressScope.Metadata; // AWS and Google over IPv6
        }

        ushort first = (ushort)(high >> 48);
        if ((first & 0xFE00) == 0xFC00)
        {
            return AddressScope.Private;
        }

        if ((first & 0xFFC0) == 0xFE80)
        {
            return AddressScope.LinkLocal;
        }

        // Only 2000::/3 is globally routed. Of that: 2001::/23 (Teredo, ORCHID, benchmarks), 2001:db8::/32, 2002::/16 (6to4), 3fff::/20.
        if ((first & 0xE000) != 0x2000
            || (first == 0x2001 && (high >> 32 & 0xFE00) == 0)
            || high >> 32 == 0x20010DB8
            || first == 0x2002
            || (high >> 44) == 0x3FFF0)
        {
            return AddressScope.Reserved;
        }

        // ISATAP carries an IPv4 address behind 0:5efe or 200:5efe (RFC 5214).
        if ((low >> 32 & 0xFDFFFFFF) == 0x00005EFE && ClassifyV4(inside) != AddressScope.Public)
        {
            return AddressScope.Reserved;
        }

        return AddressScope.Public;
    }
}
