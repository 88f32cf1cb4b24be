namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What a phrase that the wording scan looks for leads to.</summary>
internal enum WordingTriggerKind
{
    /// <summary>The longest word of a rule's anchor: the words around it decide.</summary>
    Anchor = 0,

    /// <summary>A mark that has no use but to stand out to a model.</summary>
    Mark,

    /// <summary>The path of a key or credentials file: a verb before it decides.</summary>
    SecretPath,

    /// <summary>A download: a shell behind it decides.</summary>
    Download,

    /// <summary>A mark of a chat template or a wrapper.</summary>
    RoleMark,

    /// <summary>The member "role" of a message: its value decides.</summary>
    Role,

    /// <summary>A human speaker at the start of a line.</summary>
    Human,

    /// <summary>The assistant as speaker at the start of a line.</summary>
    Assistant,
}
