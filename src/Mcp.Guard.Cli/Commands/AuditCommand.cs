using System.CommandLine;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard audit</c>: verifies, shows and exports the audit of a guard.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Verifies, shows and exports the audit log that a guard keeps.")
    {
        AuditVerifyCommand.Create(),
        AuditShowCommand.Create(),
        AuditExportCommand.Create(),
    };
}
