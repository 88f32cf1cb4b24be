using System.Runtime.InteropServices;

namespace GuardedHost;

/// <summary>Where the sample's own server lies, and what starts it.</summary>
internal static class SampleServer
{
    /// <summary>The .NET host that runs this very process.</summary>
    public static string Dotnet { get; } = Path.GetFullPath(
        Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    public static string FileServer { get; } = Path.Combine(AppContext.BaseDirectory, "FileServer.dll");
}
