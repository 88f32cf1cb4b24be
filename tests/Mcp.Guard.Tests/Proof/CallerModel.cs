namespace Mcp.Guard.Tests.Proof;

/// <summary>On whose behalf a call is made; without a user the connection stands for the caller.</summary>
internal sealed record CallerModel(string? User, string Session)
{
    public GuardCaller? ToCaller() => User is null ? null : new GuardCaller(User, Session);
}
