using System.Buffers;
using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>Visits every string and every member name of a JSON value, in order, without allocating and with a bounded depth.</summary>
internal static class JsonStringWalker
{
    /// <summary>Deeper values are not walked; the caller denies them.</summary>
    public const int MaxDepth = 128;

    /// <summary>False where the value is deeper than <see cref="MaxDepth"/>; true also where the visitor ended the walk.</summary>
    public static bool TryWalk<TVisitor>(JsonElement value, ref TVisitor visitor)
        where TVisitor : struct, IJsonStringVisitor
    {
        // Cleared as far as it was used: the pool is shared by the whole process, and the steps hold on to the message.
        JsonTrailSegment[] trail = ArrayPool<JsonTrailSegment>.Shared.Rent(MaxDepth);
        int used = 0;
        try
        {
            bool goOn = true;
            return Walk(value, trail, 0, ref used, ref visitor, ref goOn);
        }
        finally
        {
            trail.AsSpan(0, used).Clear();
            ArrayPool<JsonTrailSegment>.Shared.Return(trail);
        }
    }

    private static bool Walk<TVisitor>(JsonElement value, JsonTrailSegment[] trail, int depth, ref int used, ref TVisitor visitor, ref bool goOn)
        where TVisitor : struct, IJsonStringVisitor
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                goOn = visitor.Visit(new JsonStringPlace(trail.AsSpan(0, depth), value, isName: false));
                return true;

            case JsonValueKind.Object when depth < MaxDepth:
                used = Math.Max(used, depth + 1);
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    trail[depth] = new JsonTrailSegment(member, -1);
                    goOn = visitor.Visit(new JsonStringPlace(trail.AsSpan(0, depth + 1), default, isName: true));
                    if (!goOn)
                    {
                        return true;
                    }

                    if (!Walk(member.Value, trail, depth + 1, ref used, ref visitor, ref goOn))
                    {
                        return false;
                    }

                    if (!goOn)
                    {
                        return true;
                    }
                }

                return true;

            case JsonValueKind.Array when depth < MaxDepth:
                used = Math.Max(used, depth + 1);
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    trail[depth] = new JsonTrailSegment(default, index++);
                    if (!Walk(item, trail, depth + 1, ref used, ref visitor, ref goOn))
                    {
                        return false;
                    }

                    if (!goOn)
                    {
                        return true;
                    }
                }

                return true;

            case JsonValueKind.Object or JsonValueKind.Array:
                return false;

            default:
                return true;
        }
    }
}
