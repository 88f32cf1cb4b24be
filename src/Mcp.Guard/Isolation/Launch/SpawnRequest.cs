namespace Mcp.Guard.Isolation.Launch;

/// <summary>Exactly what is started: program, arguments, whole environment, folder, and the descriptors beyond 0 to 2 it is given.</summary>
/// <param name="Executable">Absolute path; never looked up.</param>
/// <param name="Arguments">Without the program's own name.</param>
/// <param name="Environment">The whole environment; nothing of the host's is added.</param>
/// <param name="WorkingDirectory">Absolute path.</param>
/// <param name="Descriptors">Number in the program, and what it is. Linux only.</param>
internal sealed record SpawnRequest(
    string Executable,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<KeyValuePair<string, string>> Environment,
    string WorkingDirectory,
    IReadOnlyList<KeyValuePair<int, LinuxDescriptor>> Descriptors);
