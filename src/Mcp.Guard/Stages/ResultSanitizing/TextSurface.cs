namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Where a text comes from; it decides which markup is suspicious there. The default is the strictest.</summary>
internal enum TextSurface
{
    /// <summary>A description, title, enum value or default in a catalogue, server instructions, an elicitation or a sampling request.</summary>
    Description = 0,

    /// <summary>The name of a tool, prompt or parameter that the model calls.</summary>
    Name,

    /// <summary>A result, error, log line, notification or prompt message.</summary>
    Result,

    /// <summary>The content of a resource.</summary>
    Resource,
}
