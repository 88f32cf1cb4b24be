namespace Mcp.Guard.Policy;

/// <summary>The words that stand for enumerated values in a policy document.</summary>
internal static class PolicyWords
{
    public static readonly (string Word, ConfirmationMode Value)[] Confirmation = [("destructive", ConfirmationMode.Destructive), ("always", ConfirmationMode.Always)];

    public static readonly (string Word, ContentRecording Value)[] Recording =
        [("none", ContentRecording.None), ("shape", ContentRecording.Shape), ("redacted", ContentRecording.Redacted), ("full", ContentRecording.Full)];

    public static readonly (string Word, AuditDurability Value)[] Durability =
        [("flushed", AuditDurability.Flushed), ("durable", AuditDurability.Durable), ("bestEffort", AuditDurability.BestEffort)];

    public static readonly (string Word, ResultOverflow Value)[] Overflow = [("deny", ResultOverflow.Deny), ("cut", ResultOverflow.Cut)];

    public static readonly (string Word, RemoteReferences Value)[] References =
        [("keep", RemoteReferences.Keep), ("defang", RemoteReferences.Defang), ("remove", RemoteReferences.Remove)];

    public static readonly (string Word, ResultFraming Value)[] Framing =
        [("none", ResultFraming.None), ("envelope", ResultFraming.Envelope), ("datamark", ResultFraming.Datamark)];

    public static readonly (string Word, FlagAction Value)[] Action = [("report", FlagAction.Report), ("ask", FlagAction.Ask), ("deny", FlagAction.Deny)];

    public static readonly (string Word, RuleEffect Value)[] Effect = [("deny", RuleEffect.Deny), ("ask", RuleEffect.Ask), ("allow", RuleEffect.Allow)];

    public static readonly (string Word, RateLimitScope Value)[] Scope =
        [("caller", RateLimitScope.Caller), ("session", RateLimitScope.Session), ("server", RateLimitScope.Server), ("tool", RateLimitScope.Tool)];

    public static readonly (string Word, PathDetection Value)[] Detection = [("auto", PathDetection.Auto), ("declared", PathDetection.Declared)];

    public static readonly (string Word, RootAccess Value)[] Access = [("read", RootAccess.Read), ("readWrite", RootAccess.ReadWrite)];

    public static readonly (string Word, IsolationMode Value)[] Isolation =
        [("bubblewrap", IsolationMode.Bubblewrap), ("container", IsolationMode.Container), ("none", IsolationMode.None)];

    public static readonly (string Word, RuntimePreset Value)[] Preset =
    [
        ("auto", RuntimePreset.Auto), ("none", RuntimePreset.None), ("dotnet", RuntimePreset.Dotnet), ("node", RuntimePreset.Node),
        ("python", RuntimePreset.Python),
    ];

    public static readonly (string Word, string Value)[] Engine = [("docker", "docker"), ("podman", "podman")];

    public static readonly (string Word, UrlTransport? Value)[] Transport =
        [("auto", UrlTransport.Auto), ("streamableHttp", UrlTransport.StreamableHttp), ("sse", UrlTransport.Sse), ("unchecked", null)];

    /// <summary>The names by which plans and logs report what is in force.</summary>
    public static readonly (string Word, string Value)[] Control = [.. global::Mcp.Guard.Isolation.IsolationControls.Names.Select(static name => (name, name))];

    /// <summary>Findings in the order of <see cref="PolicySection.Flags"/>.</summary>
    public static readonly (string Word, ContentFindings Value)[] Finding =
    [
        ("hidden-unicode", ContentFindings.HiddenUnicode), ("bidi", ContentFindings.Bidi), ("control", ContentFindings.Control),
        ("terminal", ContentFindings.Terminal), ("bad-name", ContentFindings.BadName), ("name-collision", ContentFindings.NameCollision),
        ("remote-resource", ContentFindings.RemoteResource), ("active-content", ContentFindings.ActiveContent),
        ("hidden-markup", ContentFindings.HiddenMarkup), ("role-marker", ContentFindings.RoleMarker),
        ("instruction-like", ContentFindings.InstructionLike),
    ];
}
