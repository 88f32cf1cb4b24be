using System.Text.Json;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// What of a form's schema is not for reading: names, types, choices, patterns, defaults. They come back in the answer, so they are shown as they are or not
/// at all.
/// </summary>
internal static class FormValues
{
    /// <summary>Whether two schemas differ in nothing but the texts that a person reads (<c>title</c>, <c>description</c>, <c>enumNames</c>).</summary>
    public static bool AreEqual(JsonElement a, JsonElement b, bool isFieldMap = false)
    {
        if (a.ValueKind != b.ValueKind)
        {
            return false;
        }

        switch (a.ValueKind)
        {
            case JsonValueKind.Object:
                if (a.GetPropertyCount() != b.GetPropertyCount())
                {
                    return false;
                }

                using (JsonElement.ObjectEnumerator others = b.EnumerateObject())
                {
                    foreach (JsonProperty member in a.EnumerateObject())
                    {
                        others.MoveNext();
                        if (!string.Equals(member.Name, others.Current.Name, StringComparison.Ordinal))
                        {
                            return false;
                        }

                        // A field may bear the name of a keyword; inside "properties" every name is a field.
                        bool isForReading = !isFieldMap && member.Name is "title" or "description" or "enumNames";
                        if (!isForReading && !AreEqual(member.Value, others.Current.Value, !isFieldMap && member.Name == "properties"))
                        {
                            return false;
                        }
                    }
                }

                return true;

            case JsonValueKind.Array:
                return a.GetArrayLength() == b.GetArrayLength() && a.EnumerateArray().Zip(b.EnumerateArray()).All(pair => AreEqual(pair.First, pair.Second));

            case JsonValueKind.String:
                return string.Equals(a.GetString(), b.GetString(), StringComparison.Ordinal);

            default:
                return string.Equals(a.GetRawText(), b.GetRawText(), StringComparison.Ordinal);
        }
    }
}
