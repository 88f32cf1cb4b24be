namespace Mcp.Guard.Stages.Catalog;

/// <summary>How dangerous a tool counts. The default value is the dangerous one.</summary>
internal readonly struct ToolDanger
{
    private readonly bool _harmless;
    private readonly bool _closedWorld;

    private ToolDanger(bool destructive, bool openWorld)
    {
        _harmless = !destructive;
        _closedWorld = !openWorld;
    }

    /// <summary>True where a call may destroy or overwrite.</summary>
    public bool IsDestructive => !_harmless;

    /// <summary>True where the tool reaches systems beyond its server, or does not say that it does not.</summary>
    public bool IsOpenWorld => !_closedWorld;

    /// <summary>
    /// Weighs policy and hints. The policy's word, or without one a trusted server's, can call a tool harmless; a hint that says "destructive"
    /// or "open world" counts from any server and against any word. Where hints contradict each other, the dangerous one counts.
    /// </summary>
    /// <param name="hints">What the server wrote.</param>
    /// <param name="serverIsTrusted">Whether the policy marks the server as trusted.</param>
    /// <param name="policyDestructive">What the policy says of the tool, or null.</param>
    public static ToolDanger Weigh(in ToolHints hints, bool serverIsTrusted, bool? policyDestructive)
    {
        bool saidHarmless = hints.Destructive != true && (hints.ReadOnly == true || hints.Destructive == false);
        bool harmless = policyDestructive is bool word ? !word : serverIsTrusted && saidHarmless;
        return new(
            destructive: !harmless || hints.Destructive == true,
            openWorld: !serverIsTrusted || hints.OpenWorld != false);
    }
}
