namespace Mcp.Guard.Policy;

/// <summary>How an untrusted result is marked as data for a model. A larger value is stricter.</summary>
internal enum ResultFraming
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>Inside an envelope with a random boundary and the origin's name.</summary>
    Envelope = 1,

    /// <summary>Every word marked.</summary>
    Datamark = 2,
}
