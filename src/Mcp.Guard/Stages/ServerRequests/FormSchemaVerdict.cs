namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>The verdict on a form's schema. The default refuses.</summary>
internal readonly record struct FormSchemaVerdict(FormSchemaFault Fault, string Field)
{
    /// <summary>Whether the form may be shown.</summary>
    public bool IsAllowed => Fault == FormSchemaFault.None;
}
