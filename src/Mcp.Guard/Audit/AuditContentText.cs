using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>Untrusted text as printable ASCII of bounded length, for logs and consoles.</summary>
internal static class AuditContentText
{
    private const int MaxContentBytes = 4_096;

    /// <summary>The text with everything but printable ASCII escaped, cut where it is longer; empty for null.</summary>
    public static string Escape(string? text, int maxChars)
    {
        if (string.IsNullOrEmpty(text))
        {
            return string.Empty;
        }

        if (text.Length <= maxChars && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var shown = new StringBuilder();
        foreach (char c in text.AsSpan(0, int.Min(text.Length, maxChars)))
        {
            if (c is >= ' ' and <= '~')
            {
                shown.Append(c);
            }
            else
            {
                shown.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return text.Length > maxChars ? shown.Append("...").ToString() : shown.ToString();
    }

    /// <summary>A JSON value as one line; empty where it is undefined or cannot be read.</summary>
    public static string Of(JsonElement value)
    {
        try
        {
            if (value.ValueKind == JsonValueKind.Undefined)
            {
                return string.Empty;
            }

            var buffer = new AuditBuffer();
            AuditCopyOutcome outcome = AuditContentCopy.Copy(JsonMarshal.GetRawUtf8Value(value), buffer, MaxContentBytes);
            string text = Encoding.ASCII.GetString(buffer.Written);
            return outcome is AuditCopyOutcome.Copied or AuditCopyOutcome.Replaced ? text : text + "...";
        }
        catch (Exception fault) when (fault is InvalidOperationException or ObjectDisposedException)
        {
            return string.Empty;
        }
    }
}
