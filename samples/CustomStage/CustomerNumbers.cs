using System.Text;
using System.Text.Json;

namespace CustomStage;

/// <summary>Finds customer numbers (K-0000-0000) in a JSON value.</summary>
internal static class CustomerNumbers
{
    /// <summary>The value with the numbers hidden; null where it holds none.</summary>
    public static JsonElement? Hide(JsonElement value)
    {
        string text = value.GetRawText();
        var changed = new StringBuilder(text.Length);
        int from = 0;
        for (int i = 0; i + 11 <= text.Length; i++)
        {
            if (IsNumber(text.AsSpan(i, 11)))
            {
                changed.Append(text, from, i - from).Append("K-****");
                from = i + 11;
                i = from - 1;
            }
        }

        if (from == 0)
        {
            return null;
        }

        // Digits and stars need no escaping, so the text is JSON as before.
        using JsonDocument document = JsonDocument.Parse(changed.Append(text, from, text.Length - from).ToString());
        return document.RootElement.Clone();
    }

    private static bool IsNumber(ReadOnlySpan<char> text) =>
        text[0] == 'K' && text[1] == '-' && text[6] == '-' && !text[2..6].ContainsAnyExceptInRange('0', '9') && !text[7..].ContainsAnyExceptInRange('0', '9');
}
