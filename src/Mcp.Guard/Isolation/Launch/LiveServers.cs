using System.Collections.Concurrent;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>The server processes of this host, ended when the host ends in order without disposing them.</summary>
internal static class LiveServers
{
    private static readonly ConcurrentDictionary<ServerProcess, bool> s_live = new();

    static LiveServers() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => KillAll();

    public static void Add(ServerProcess server) => s_live[server] = true;

    public static void Remove(ServerProcess server) => s_live.TryRemove(server, out _);

    private static void KillAll()
    {
        foreach (ServerProcess server in s_live.Keys)
        {
            server.Kill();
        }
    }
}
