namespace Mcp.Guard.Tests.Proof;

/// <summary>Something that happens.</summary>
internal abstract record Step
{
    /// <summary>A call; one that stays open runs until <see cref="End"/>.</summary>
    public sealed record Call(CallModel What, CallerModel By, AnswerModel Answer, bool StaysOpen, string Server = "test") : Step;

    /// <summary>Time passes.</summary>
    public sealed record Wait(TimeSpan Time) : Step;

    /// <summary>The oldest open call ends.</summary>
    public sealed record End : Step;

    /// <summary>A person stops a scope.</summary>
    public sealed record Halt(HaltScope Scope) : Step;

    /// <summary>A person ends a stop.</summary>
    public sealed record Resume(HaltScope Scope) : Step;

    /// <summary>A server's tools are listed again and are now these.</summary>
    public sealed record Lists(IReadOnlyList<ToolModel> Tools, string Server = "test") : Step
    {
        public override string ToString() => $"{Server} lists [{string.Join("; ", Tools)}]";
    }
}
