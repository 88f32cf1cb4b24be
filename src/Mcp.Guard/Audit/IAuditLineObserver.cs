namespace Mcp.Guard.Audit;

/// <summary>Sees every record that a walk along the chain found in order.</summary>
internal interface IAuditLineObserver
{
    void OnSegment(AuditSegmentHeader header, long firstSequence);

    void OnRecord(in AuditLine line);
}
