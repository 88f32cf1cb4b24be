namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>Where the records of a measured guard go.</summary>
internal enum AuditChoice
{
    /// <summary>Nowhere: the records are made and dropped.</summary>
    None,

    /// <summary>Into the queue of the embedded log; its thread encodes and chains them and writes to no file.</summary>
    Queue,

    /// <summary>Into files, each call waiting for its records, as by default.</summary>
    Files,
}
