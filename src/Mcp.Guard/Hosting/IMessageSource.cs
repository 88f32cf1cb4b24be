using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>An inner transport that hands over what the server sends on a thread of its own, instead of through the queue of <see cref="ITransport.MessageReader"/>.</summary>
internal interface IMessageSource
{
    /// <summary>Starts to hand over messages, in their order and never two at a time.</summary>
    /// <param name="receive">Takes one. Must neither wait nor throw.</param>
    /// <param name="stop">Ends it; a message that is being taken is taken.</param>
    /// <returns>Ends when no more come, with the fault that ended them.</returns>
    Task ReadAllAsync(Action<JsonRpcMessage> receive, CancellationToken stop);
}
