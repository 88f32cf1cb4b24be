namespace Mcp.Guard.Tests.Proof;

/// <summary>The library in one of its uses, told the same as the reference.</summary>
internal interface IDecider : IAsyncDisposable
{
    GuardUnderProof Guard { get; }

    /// <summary>Lists the tools; false where that is denied.</summary>
    ValueTask<bool> ListAsync(string server, IReadOnlyList<ToolModel> tools, CallerModel by);

    /// <summary>Makes a call, and ends it unless it stays open.</summary>
    ValueTask<Verdict> DecideAsync(Step.Call step);

    /// <summary>Ends the oldest open call.</summary>
    ValueTask EndAsync();
}
