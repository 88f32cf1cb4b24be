using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Json;

/// <summary>Visits every string and every member name of a JSON value, in order, without allocating and with a bounded depth.</summary>
internal static class JsonStringWalker
{
    /// <summary>Deeper values are not walked; the caller denies them.</summary>
    public const int MaxDepth = 128;

    private static readonly JsonTextLimits Any = new(int.MaxValue, MaxDepth, JsonToken.MaxCount);

    /// <summary>Walks a value of a text that was read already.</summary>
    /// <param name="view">The reading.</param>
    /// <param name="token">The value in it.</param>
    /// <param name="visitor">Receives the strings.</param>
    /// <returns>False where the value is deeper than <see cref="MaxDepth"/>; true also where the visitor ended the walk.</returns>
    [SkipLocalsInit] // a step is read only after it was written
    public static bool TryWalk<TVisitor>(in JsonView view, int token, ref TVisitor visitor)
        where TVisitor : struct, IJsonStringVisitor
    {
        bool goOn = true;
        return Walk(in view, token, stackalloc JsonTrailSegment[MaxDepth], 0, ref visitor, ref goOn);
    }

    /// <summary>The same for a value that nobody has read strictly; false also where its text is not strict JSON.</summary>
    public static bool TryWalk<TVisitor>(JsonElement value, ref TVisitor visitor)
        where TVisitor : struct, IJsonStringVisitor
    {
        ValidationWorkspace workspace = ValidationWorkspace.Take();
        try
        {
            ReadOnlySpan<byte> text = JsonMarshal.GetRawUtf8Value(value);
            return StrictJsonParser.Parse(text, Any, workspace.Tape) == JsonTextFault.None && TryWalk(new JsonView(text, workspace.Tape), 0, ref visitor);
        }
        finally
        {
            workspace.Return();
        }
    }

    private static bool Walk<TVisitor>(in JsonView view, int index, Span<JsonTrailSegment> trail, int depth, ref TVisitor visitor, ref bool goOn)
        where TVisitor : struct, IJsonStringVisitor
    {
        ref readonly JsonToken token = ref view.Tokens[index];
        if (token.Type == JsonTypes.String)
        {
            goOn = visitor.Visit(new JsonStringPlace(view, trail[..depth], index, isName: false));
            return true;
        }

        if (!token.IsContainer)
        {
            return true;
        }

        if (depth >= MaxDepth)
        {
            return false;
        }

        bool isObject = token.Type == JsonTypes.Object;
        int item = 0;
        for (int next = index + 1; next < token.Link; next = view.After(next))
        {
            if (isObject)
            {
                trail[depth] = new JsonTrailSegment(next, -1);
                goOn = visitor.Visit(new JsonStringPlace(view, trail[..(depth + 1)], next, isName: true));
                next++;
            }
            else
            {
                trail[depth] = new JsonTrailSegment(-1, item++);
            }

            if (!goOn)
            {
                return true;
            }

            if (!Walk(in view, next, trail, depth + 1, ref visitor, ref goOn))
            {
                return false;
            }

            if (!goOn)
            {
                return true;
            }
        }

        return true;
    }
}
