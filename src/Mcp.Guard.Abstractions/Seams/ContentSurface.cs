namespace Mcp.Guard;

/// <summary>Where a text of a server is shown.</summary>
public enum ContentSurface
{
    /// <summary>The result of a tool, resource or prompt.</summary>
    Result = 0,

    /// <summary>A description or instructions that a model reads as part of its task.</summary>
    Description = 1,

    /// <summary>A name: of a tool, prompt, argument.</summary>
    Name = 2,

    /// <summary>A log line, a progress message, a standard-error tail.</summary>
    Log = 3,

    /// <summary>A text that is shown to a person who decides: consent, elicitation.</summary>
    Prompt = 4,

    /// <summary>A URI or link target.</summary>
    Uri = 5,
}
