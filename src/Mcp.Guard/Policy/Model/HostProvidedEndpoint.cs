namespace Mcp.Guard.Policy;

/// <summary>A server whose transport the host makes itself and hands to the guard.</summary>
internal sealed record HostProvidedEndpoint : ServerEndpoint
{
    public override string Describe() => "host-provided";
}
