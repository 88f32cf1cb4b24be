namespace Mcp.Guard.Json;

/// <summary>Receives the strings of a JSON value from <see cref="JsonStringWalker"/>.</summary>
internal interface IJsonStringVisitor
{
    /// <summary>Judges one string or member name; false ends the walk.</summary>
    bool Visit(in JsonStringPlace place);
}
