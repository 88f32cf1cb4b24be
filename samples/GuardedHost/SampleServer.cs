using System.Runtime.InteropServices;

namespace GuardedHost;

/// <summary>What starts the sample's own server: the .NET host of this process, or, where this program was compiled ahead of time, the server compiled so beside it.</summary>
internal static class SampleServer
{
    /// <summary>Where the server lies that is built with this program.</summary>
    public static string Library { get; } = Path.Combine(AppContext.BaseDirectory, "FileServer.dll");

    private static string Native { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "FileServer.exe" : "FileServer");

    /// <summary>The program to start.</summary>
    /// <param name="library">The server's assembly.</param>
    public static string CommandOf(string library) => File.Exists(library)
        ? Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"))
        : Native;

    /// <summary>Its arguments.</summary>
    /// <param name="library">The server's assembly.</param>
    public static IEnumerable<string> ArgumentsOf(string library) => File.Exists(library) ? [library] : [];
}
