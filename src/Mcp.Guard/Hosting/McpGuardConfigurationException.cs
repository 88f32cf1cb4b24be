namespace Mcp.Guard;

/// <summary>The guard is put together in a way that cannot be secure or cannot work. The message names the fault and the call that fixes it.</summary>
public sealed class McpGuardConfigurationException : Exception
{
    /// <summary>Makes an exception without a text; for serialisers.</summary>
    public McpGuardConfigurationException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">The fault and what fixes it.</param>
    public McpGuardConfigurationException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception with a cause.</summary>
    /// <param name="message">The fault and what fixes it.</param>
    /// <param name="innerException">The cause.</param>
    public McpGuardConfigurationException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
