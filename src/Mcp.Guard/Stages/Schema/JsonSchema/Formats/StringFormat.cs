namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The formats that the specification defines (2020-12 validation, section 7.3).</summary>
internal enum StringFormat
{
    DateTime,
    Date,
    Time,
    Duration,
    Email,
    IdnEmail,
    Hostname,
    IdnHostname,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    Iri,
    IriReference,
    UriTemplate,
    JsonPointer,
    RelativeJsonPointer,
    Regex,
    Uuid,
}
