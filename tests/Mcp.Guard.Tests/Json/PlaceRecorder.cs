using System.Text;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

/// <summary>Notes every string of a walk, and whether a pattern covers it; ends the walk after the string <paramref name="last"/>.</summary>
internal readonly struct PlaceRecorder(JsonPointerPattern? pattern, string? last) : IJsonStringVisitor
{
    public List<PlaceSeen> Seen { get; } = [];

    public bool Visit(in JsonStringPlace place)
    {
        string? nearest = place.TryGetNearestName(out ReadOnlySpan<byte> name) ? Encoding.UTF8.GetString(name) : null;
        Seen.Add(new(place.GetPointer(), place.GetText(), place.IsName, nearest, pattern?.Covers(place) == true));
        return place.GetText() != last;
    }
}
