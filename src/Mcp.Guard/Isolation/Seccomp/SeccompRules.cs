namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>What differs between the filters of two servers.</summary>
/// <param name="InternetSockets">Whether sockets of the internet families can be made.</param>
/// <param name="SharedMemory">Whether memory can be had that no limit of a process counts: shared anonymous maps, memory files, maps that grow downwards.</param>
/// <param name="ChooseProcessors">Whether a process may move to other processors than it was given.</param>
internal readonly record struct SeccompRules(bool InternetSockets, bool SharedMemory, bool ChooseProcessors);
