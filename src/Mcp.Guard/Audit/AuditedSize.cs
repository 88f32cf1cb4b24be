using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>How large the content of a record is, and how much of it may be left to the thread that writes the records of all callers.</summary>
internal static class AuditedSize
{
    /// <summary>Content above it is redacted by the caller it belongs to, so that nobody's long or hostile text holds up the records of others.</summary>
    public const int MaxDeferred = 4 * 1024;

    /// <summary>The length of a value's JSON text; 0 where there is none.</summary>
    public static long Of(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(value).Length;
        }
        catch (ObjectDisposedException)
        {
            // The writer will tell it in the record.
            return 0;
        }
    }
}
