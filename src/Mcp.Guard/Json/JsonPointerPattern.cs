using System.Globalization;
using System.Text;

namespace Mcp.Guard.Json;

/// <summary>A JSON Pointer (RFC 6901) in which a segment <c>*</c> stands for every member and every index.</summary>
internal sealed class JsonPointerPattern
{
    private readonly string[] _segments;
    private readonly byte[][] _names;

    private JsonPointerPattern(string[] segments)
    {
        _segments = segments;
        _names = [.. segments.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Reads a pattern; false where it is neither empty nor starts with a slash, or holds a bad escape or half of a surrogate pair.</summary>
    public static bool TryParse(string text, out JsonPointerPattern? pattern)
    {
        pattern = null;
        if (text.Length == 0)
        {
            pattern = new JsonPointerPattern([]);
            return true;
        }

        // Names are compared as UTF-8, where half of a surrogate pair would be U+FFFD and stand for another name.
        if (text[0] != '/' || !string.Equals(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)), text, StringComparison.Ordinal))
        {
            return false;
        }

        string[] segments = text[1..].Split('/');
        for (int i = 0; i < segments.Length; i++)
        {
            string segment = segments[i];
            for (int at = segment.IndexOf('~', StringComparison.Ordinal); at >= 0; at = segment.IndexOf('~', at + 1))
            {
                if (at + 1 >= segment.Length || segment[at + 1] is not ('0' or '1'))
                {
                    return false;
                }
            }

            segments[i] = segment.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        }

        pattern = new JsonPointerPattern(segments);
        return true;
    }

    /// <summary>True where the pattern names a place on the way or the place itself: what it names, and everything inside.</summary>
    public bool Covers(in JsonStringPlace place)
    {
        ReadOnlySpan<JsonTrailSegment> trail = place.Trail;
        if (trail.Length < _segments.Length)
        {
            return false;
        }

        for (int i = 0; i < _segments.Length; i++)
        {
            string segment = _segments[i];
            if (segment is "*")
            {
                continue;
            }

            JsonTrailSegment step = trail[i];
            bool same = step.Index >= 0
                ? int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index == step.Index
                    && (segment.Length == 1 || segment[0] != '0')
                : place.NameAt(i).SequenceEqual(_names[i]);
            if (!same)
            {
                return false;
            }
        }

        return true;
    }
}
