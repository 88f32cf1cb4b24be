namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What an address in markup would do.</summary>
internal enum MarkupAddressKind
{
    /// <summary>Relative, a fragment, mail, or nothing.</summary>
    Other = 0,

    /// <summary>Names a host.</summary>
    Remote,

    /// <summary>Runs script (<c>javascript:</c> and its kin).</summary>
    Script,

    /// <summary>Carries its content (<c>data:</c>).</summary>
    Data,
}
