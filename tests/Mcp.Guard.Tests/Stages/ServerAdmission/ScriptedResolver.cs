using System.Net;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>A resolver that gives one answer after the other and keeps giving the last.</summary>
internal sealed class ScriptedResolver(params string[][] answers) : IAddressResolver
{
    private int _asked;

    public int Asked => _asked;

    public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        string[] answer = answers[Math.Min(Interlocked.Increment(ref _asked), answers.Length) - 1];
        return ValueTask.FromResult(answer.Select(IPAddress.Parse).ToArray());
    }
}
