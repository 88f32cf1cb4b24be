using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Fuzz;

/// <summary>Where random input begins: the cases of our own corpus, and the files of <c>tests/fuzz</c>.</summary>
internal static class FuzzCorpus
{
    /// <summary>The texts of one member of every case of a corpus file.</summary>
    public static IEnumerable<string> Of(string file, string list, string member)
    {
        using JsonDocument document = CorpusFile.Open(file);
        foreach (JsonElement item in document.RootElement.GetProperty(list).EnumerateArray())
        {
            if (item.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String)
            {
                yield return JsonText.GetString(value);
            }
        }
    }

    /// <summary>The secrets of the corpus, put together as it asks.</summary>
    public static IEnumerable<string> Secrets()
    {
        using JsonDocument document = CorpusFile.Open("secrets.json");
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            string text = item.GetProperty("template").GetString()!;
            int i = 0;
            foreach (JsonElement parts in item.GetProperty("secrets").EnumerateArray())
            {
                text = text.Replace($"{{{i++}}}", string.Concat(parts.EnumerateArray().Select(static part => part.GetString())), StringComparison.Ordinal);
            }

            yield return text;
        }
    }

    /// <summary>The files of a target, a character a byte.</summary>
    public static IEnumerable<string> Files(FuzzTarget target)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Fuzz", target.Name);
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(file => target.IsOfBytes ? Encoding.Latin1.GetString(File.ReadAllBytes(file)) : File.ReadAllText(file))
            : [];
    }
}
