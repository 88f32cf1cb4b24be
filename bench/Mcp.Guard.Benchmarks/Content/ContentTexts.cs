using System.Text;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>Clean and hostile texts for the content benchmarks.</summary>
internal static class ContentTexts
{
    /// <summary>Clean texts of ordinary kinds.</summary>
    public static IReadOnlyDictionary<string, string> Clean { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["prose"] = "The tool reads a file from an allowed directory and returns its content as text; paths are relative to the project. "
            + "It fails when the file is larger than ten megabytes, or when the caller may not read it.\n",
        ["json"] = "{\"id\": 1042, \"name\": \"report.txt\", \"size\": 20480, \"tags\": [\"a\", \"b\"], \"modified\": \"2026-11-22T10:00:00Z\", \"owner\": \"anna\"},\n",
        ["code"] = "    for (int i = 0; i < items.Count; i++)\n    {\n        total += items[i].Price * items[i].Amount; // rounded later\n    }\n\n",
        ["mixed"] = "Żółć i gęś; 中文說明文字，日本語のテキスト。 Привет мир! עברית שלום, हिन्दी पाठ, می\u200cخواهم, 한국어 문장 👩‍👩‍👧 done. ",
        ["chinese"] = "工具从允许的目录读取文件并以文本形式返回其内容；路径相对于项目。如果文件大于十兆字节，则失败。\n",
    };

    /// <summary>A text of about this many characters.</summary>
    public static string Repeat(string piece, int length)
    {
        var text = new StringBuilder(length + piece.Length);
        while (text.Length < length)
        {
            text.Append(piece);
        }

        return text.ToString();
    }
}
