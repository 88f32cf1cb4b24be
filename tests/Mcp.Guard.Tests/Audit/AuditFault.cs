namespace Mcp.Guard.Tests.Audit;

/// <summary>What a test does to a file operation.</summary>
internal enum AuditFault
{
    None = 0,

    /// <summary>It throws.</summary>
    Fail = 1,

    /// <summary>A write takes half of what it is given; any other operation throws.</summary>
    Shorten = 2,

    /// <summary>It waits until the test lets it go on.</summary>
    Hold = 3,
}
