namespace Mcp.Guard.Stages.Consent;

/// <summary>The parts of a binding that always count, also for refusals: what grants are looked up by.</summary>
internal readonly record struct ConsentGrantKey(string Server, string Method, string Tool, string UserId)
{
    public static ConsentGrantKey Of(in ConsentBinding binding) => new(binding.Server, binding.Method, binding.Tool, binding.UserId);
}
