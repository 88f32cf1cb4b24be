namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>What one run of the probe gave.</summary>
/// <param name="Said">Its standard output.</param>
/// <param name="Code">Its exit code.</param>
/// <param name="Errors">The captured end of its standard error.</param>
internal sealed record JailRun(string Said, int? Code, IReadOnlyList<string> Errors)
{
    public override string ToString() => $"exit {Code}\n{Said}\n{string.Join('\n', Errors)}";
}
