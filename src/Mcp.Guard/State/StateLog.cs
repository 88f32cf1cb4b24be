using Microsoft.Extensions.Logging;

namespace Mcp.Guard.State;

/// <summary>Log messages about the guard's own files.</summary>
internal static partial class StateLog
{
    [LoggerMessage(5101, LogLevel.Error, "The consents in {Path} are not used: {Problem}. People are asked again; refusals are lost too.")]
    public static partial void NoConsents(ILogger logger, string path, string problem);

    [LoggerMessage(5102, LogLevel.Error, "The tool pins in {Path} are not used: {Problem}. No tool counts as approved until a person agrees again.")]
    public static partial void NoPins(ILogger logger, string path, string problem);
}
