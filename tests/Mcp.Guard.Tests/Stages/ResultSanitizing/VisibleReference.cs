using System.Globalization;
using System.Text;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>
/// A slow, independent reading of "what a person sees", from .NET's own character data: invisible characters are left out wherever they
/// stand, line separators are line feeds. Two texts that look the same have the same reading.
/// </summary>
internal static class VisibleReference
{
    public static string Of(string text)
    {
        var seen = new StringBuilder();
        string lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Replace('\u0085', '\n').Replace('\u2028', '\n').Replace('\u2029', '\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (i + 1 < lines.Length && char.IsSurrogatePair(lines[i], lines[i + 1]))
            {
                int point = char.ConvertToUtf32(lines[i], lines[i + 1]);
                if (!IsInvisible(point))
                {
                    seen.Append(lines, i, 2);
                }

                i++;
            }
            else if (char.IsSurrogate(lines[i]))
            {
                seen.Append('\uFFFD');
            }
            else if (!IsInvisible(lines[i]))
            {
                seen.Append(lines[i]);
            }
        }

        return seen.ToString();
    }

    /// <summary>What no sanitised text may hold, whatever stands beside it.</summary>
    public static bool NeverAllowed(char c) =>
        c is (< ' ' and not '\n' and not '\t' and not '\r') or (>= '\u007f' and <= '\u009f') or '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    private static bool IsInvisible(int point) => point is not ('\n' or '\t') && (
        CharUnicodeInfo.GetUnicodeCategory(point) is UnicodeCategory.Format or UnicodeCategory.Control
        || point is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x2065 or 0x2800 or 0x3164 or 0xFFA0
        || point is (>= 0xFE00 and <= 0xFE0F) or (>= 0xFFF0 and <= 0xFFFB) or (>= 0xE0000 and <= 0xE0FFF) or (>= 0xFDD0 and <= 0xFDEF)
        || (point & 0xFFFE) == 0xFFFE);
}
