namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Finds formats by name and tests texts against them. All tests are linear in the text.</summary>
internal static class StringFormats
{
    private static readonly NameTable Names = new(
    [
        "date-time"u8.ToArray(), "date"u8.ToArray(), "time"u8.ToArray(), "duration"u8.ToArray(), "email"u8.ToArray(), "idn-email"u8.ToArray(),
        "hostname"u8.ToArray(), "idn-hostname"u8.ToArray(), "ipv4"u8.ToArray(), "ipv6"u8.ToArray(), "uri"u8.ToArray(), "uri-reference"u8.ToArray(),
        "iri"u8.ToArray(), "iri-reference"u8.ToArray(), "uri-template"u8.ToArray(), "json-pointer"u8.ToArray(), "relative-json-pointer"u8.ToArray(),
        "regex"u8.ToArray(), "uuid"u8.ToArray(),
    ]);

    /// <summary>
    /// The format of a name, whatever the draft: a draft that does not know a name of a later one leaves its meaning open. Null where none
    /// defines it, so that it never decides.
    /// </summary>
    public static StringFormat? Find(ReadOnlySpan<byte> name)
    {
        int index = Names.Find(name);
        return index < 0 ? null : (StringFormat)index;
    }

    public static bool IsMatch(StringFormat format, ReadOnlySpan<byte> text, ref int steps)
    {
        steps -= text.Length >> 5;
        if (steps < 0)
        {
            return false;
        }

        return format switch
        {
            StringFormat.DateTime => TimeFormats.IsDateTime(text),
            StringFormat.Date => TimeFormats.IsDate(text),
            StringFormat.Time => TimeFormats.IsTime(text),
            StringFormat.Duration => TimeFormats.IsDuration(text),
            StringFormat.Email => EmailFormat.IsEmail(text, false),
            StringFormat.IdnEmail => EmailFormat.IsEmail(text, true),
            StringFormat.Hostname => HostnameFormat.IsHostname(text),
            StringFormat.IdnHostname => HostnameFormat.IsIdnHostname(text),
            StringFormat.Ipv4 => AddressFormats.IsIpv4(text),
            StringFormat.Ipv6 => AddressFormats.IsIpv6(text),
            StringFormat.Uri => UriFormat.IsMatch(text, false, true),
            StringFormat.UriReference => UriFormat.IsMatch(text, false, false),
            StringFormat.Iri => UriFormat.IsMatch(text, true, true),
            StringFormat.IriReference => UriFormat.IsMatch(text, true, false),
            StringFormat.UriTemplate => UriTemplateFormat.IsMatch(text),
            StringFormat.JsonPointer => PointerFormats.IsPointer(text),
            StringFormat.RelativeJsonPointer => PointerFormats.IsRelative(text),
            StringFormat.Regex => EcmaPattern.IsPattern(text),
            StringFormat.Uuid => AddressFormats.IsUuid(text),
            _ => false,
        };
    }
}
