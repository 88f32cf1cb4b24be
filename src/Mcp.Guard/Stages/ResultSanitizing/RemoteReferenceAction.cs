namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What happens to a reference that would load from another host. The default takes it out.</summary>
internal enum RemoteReferenceAction
{
    /// <summary>The address is replaced by a word that names the host.</summary>
    Remove = 0,

    /// <summary>The address stays readable but is no address any more: <c>hxxps:/_/host[.]example/path</c>.</summary>
    Defang,

    /// <summary>The text is not changed; the flag is still raised.</summary>
    Keep,
}
