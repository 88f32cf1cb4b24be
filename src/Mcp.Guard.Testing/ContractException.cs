namespace Mcp.Guard.Testing;

/// <summary>An implementation breaks its contract; the message says which sentence of it, and how.</summary>
public sealed class ContractException : Exception
{
    /// <summary>Makes the exception without a message.</summary>
    public ContractException()
    {
    }

    /// <summary>Says what is broken.</summary>
    /// <param name="message">The sentence of the contract and what was seen.</param>
    public ContractException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is broken, with what caused it.</summary>
    /// <param name="message">The sentence of the contract and what was seen.</param>
    /// <param name="innerException">What caused it.</param>
    public ContractException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new ContractException(message);
        }
    }
}
