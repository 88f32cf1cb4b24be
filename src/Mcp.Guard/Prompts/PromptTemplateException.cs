namespace Mcp.Guard.Prompts;

/// <summary>A prompt template is malformed, or was rendered with values that do not fit its slots.</summary>
public sealed class PromptTemplateException : Exception
{
    /// <summary>Without a message.</summary>
    public PromptTemplateException()
    {
    }

    /// <summary>With a message that names the template, the slot and what fixes it.</summary>
    /// <param name="message">The message.</param>
    public PromptTemplateException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and the fault that led here.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The fault.</param>
    public PromptTemplateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
